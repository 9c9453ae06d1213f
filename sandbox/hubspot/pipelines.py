"""Pipelines and their stages: what the portal has, and the API that tells of them."""

from __future__ import annotations

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.schema import Pipeline, Stage

_MADE = "2024-01-08T09:00:00.000Z"


def list_pipelines(call: Call) -> Answer:
    """Every pipeline of an object type with its stages; never paged. A type without pipelines has an empty list."""
    kind = call.readable()
    pipelines = call.state.schema.pipelines.get(kind.name, [])
    return Answer(200, {"results": [_pipeline(n, pipeline) for n, pipeline in enumerate(pipelines)]})


def get_pipeline(call: Call) -> Answer:
    """One pipeline."""
    number, pipeline = _found(call)
    return Answer(200, _pipeline(number, pipeline))


def list_stages(call: Call) -> Answer:
    """The stages of one pipeline."""
    _, pipeline = _found(call)
    return Answer(200, {"results": [_stage(n, stage) for n, stage in enumerate(pipeline.stages)]})


def _found(call: Call) -> tuple[int, Pipeline]:
    kind = call.readable()
    for number, pipeline in enumerate(call.state.schema.pipelines.get(kind.name, [])):
        if pipeline.id == call.params["pipeline_id"]:
            return number, pipeline
    raise errors.not_found()


def _pipeline(number: int, pipeline: Pipeline) -> dict[str, object]:
    return {
        "label": pipeline.label,
        "displayOrder": number,
        "id": pipeline.id,
        "stages": [_stage(n, stage) for n, stage in enumerate(pipeline.stages)],
        "createdAt": _MADE,
        "updatedAt": _MADE,
        "archived": False,
    }


def _stage(number: int, stage: Stage) -> dict[str, object]:
    return {
        "label": stage.label,
        "displayOrder": number,
        "metadata": dict(stage.metadata),
        "id": stage.id,
        "createdAt": _MADE,
        "updatedAt": _MADE,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
