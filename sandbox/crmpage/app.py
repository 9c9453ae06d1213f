"""The CRM page: accounts of both CRMs with search, one account with its tier field and history, and a form to edit it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.crmpage.books import Book, open_books
from sandbox.desk import Desk, EditRefused

HERE = Path(__file__).parent
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN = 60
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
}


def app(desks: Mapping[str, Desk]) -> Starlette:
    """The page over the CRMs' own desks; a person's edit is stamped as that person's."""
    books = open_books(desks)
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["moment"] = _moment

    def render(template: str, status: int = 200, **values: object) -> Response:
        page = env.get_template(template).render(books=books, **values)
        return HTMLResponse(page, status, headers=HEADERS)

    async def listing(request: Request) -> Response:
        wanted, vendor = request.query_params.get("q", ""), request.query_params.get("vendor", "")
        chosen = {name: book for name, book in books.items() if vendor in ("", name)}
        found = {name: _found(book, wanted) for name, book in chosen.items()}
        return render("list.html", q=wanted, vendor=vendor, found=found, most=SHOWN)

    async def account(request: Request) -> Response:
        return show(request)

    def show(request: Request, refusal: str = "") -> Response:
        vendor, book = _book(books, request)
        record = book.desk.get(book.layout.object, request.path_params["id"])
        if record is None:
            raise HTTPException(404)
        person = _Person(book)
        entry = _entry(book, record, person)
        turns = list(reversed(book.turns.get(str(record["id"]), [])))
        status = 422 if refusal else 200
        people = book.desk.people()
        return render(
            "account.html", status, vendor=vendor, book=book, a=entry, turns=turns, people=people, refusal=refusal
        )

    async def edit(request: Request) -> Response:
        _, book = _book(books, request)
        if request.headers.get("origin", str(request.base_url).rstrip("/")) != str(request.base_url).rstrip("/"):
            raise HTTPException(403)
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        value = form.get("tier") or None
        try:
            book.desk.edit(
                book.layout.object, request.path_params["id"], {book.layout.tier: value}, form.get("by") or None
            )
        except EditRefused as refused:
            return show(request, str(refused))
        except KeyError:
            raise HTTPException(404) from None
        return RedirectResponse(str(request.url), 303)

    async def style(_request: Request) -> Response:
        return Response((HERE / "static" / "crm.css").read_bytes(), media_type="text/css", headers=HEADERS)

    return Starlette(
        routes=[
            Route("/", listing),
            Route("/static/crm.css", style),
            Route("/{vendor}/{id}", account),
            Route("/{vendor}/{id}", edit, methods=["POST"]),
        ]
    )


def _book(books: Mapping[str, Book], request: Request) -> tuple[str, Book]:
    vendor = request.path_params["vendor"]
    if vendor not in books:
        raise HTTPException(404)
    return vendor, books[vendor]


class _Person:
    """Names of people by id, each looked up once."""

    def __init__(self, book: Book) -> None:
        self._names = dict(book.desk.people())

    def named(self, person: str) -> str:
        return self._names.get(person, person)


def _found(book: Book, wanted: str) -> list[dict[str, str]]:
    person = _Person(book)
    return [_entry(book, record, person) for record in book.desk.find(book.layout.object, wanted, SHOWN)]


def _entry(book: Book, record: Mapping[str, object], person: _Person) -> dict[str, str]:
    """One account as the page words it."""
    fields, layout = record["fields"], book.layout
    assert isinstance(fields, dict)
    csm = next((str(fields[name]) for name in layout.csm if fields.get(name)), "")
    return {
        "id": str(record["id"]),
        "name": str(fields.get(layout.name) or "(no name)"),
        "kind": ", ".join(str(fields[name]) for name in layout.kind if fields.get(name)),
        "csm": person.named(csm),
        "arr": _money(fields.get(layout.arr)),
        "renewal": str(fields.get(layout.renewal) or ""),
        "tier": book.tier_of(fields),
        "tier_raw": str(fields.get(layout.tier) or ""),
        "deleted": "deleted" if record["deleted"] else "",
        "modified": _moment(int(str(record["modified_at"]))),
    }


def _money(value: object) -> str:
    try:
        return f"${float(str(value)):,.0f}" if value not in (None, "") else ""
    except ValueError:
        return str(value)


def _moment(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).strftime("%-d %b %Y, %H:%M UTC")
