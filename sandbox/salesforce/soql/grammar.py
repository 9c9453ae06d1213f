"""The grammar of SOQL as far as a CRM reader uses it, and the parser made of it."""

from __future__ import annotations

from lark import Lark

# AND and OR never mix without parentheses, and NOT takes one simple condition and stands alone or in parentheses:
# conditionExpression of the SOQL reference.
GRAMMAR = r"""
start: _SELECT select _FROM NAME where? group? having? order? limit? offset?
select: count_all | item ("," item)*
count_all: AGGREGATE "(" ")"
?item: column | aggregate | children | typeof
column: path NAME?
aggregate: AGGREGATE "(" path ")" NAME?
path: NAME ("." NAME)*

children: "(" _SELECT select _FROM NAME where? order? limit? ")"
typeof: _TYPEOF path when+ otherwise? _END
when: _WHEN NAME _THEN path ("," path)*
otherwise: _ELSE path ("," path)*

where: _WHERE _condition
group: _GROUP _BY path ("," path)*
having: _HAVING _condition
_condition: simple | all | any | not
all: simple (_AND simple)+
any: simple (_OR simple)+
not: _NOT simple
?simple: "(" _condition ")" | comparison
comparison: _operand OP literal          -> compare
          | _operand LIKE literal        -> compare
          | path IN "(" literal ("," literal)* ")" -> among
          | path _NOT IN "(" literal ("," literal)* ")" -> not_among
          | path IN "(" semijoin ")" -> joined
          | path _NOT IN "(" semijoin ")" -> not_joined
          | path INCLUDES "(" literal ("," literal)* ")" -> includes
_operand: path | measured
measured: AGGREGATE "(" path ")"
semijoin: _SELECT path _FROM NAME where?

literal: STRING | NUMBER | DATETIME | DATE | RELATIVE | NULL | TRUE | FALSE

order: _ORDER _BY order_key ("," order_key)*
order_key: _operand DIRECTION? nulls?
nulls: _NULLS EDGE
limit: _LIMIT INTEGER
offset: _OFFSET INTEGER

_SELECT.2: /SELECT\b/i
_FROM.2: /FROM\b/i
_WHERE.2: /WHERE\b/i
_GROUP.2: /GROUP(?=\s+BY\b)/i
_HAVING.2: /HAVING\b/i
_TYPEOF.3: /TYPEOF(?=\s+[A-Za-z]\w*\s+WHEN\b)/i
_WHEN.2: /WHEN\b/i
_THEN.2: /THEN\b/i
_ELSE.2: /ELSE\b/i
_END.2: /END\b/i
_AND.2: /AND\b/i
_OR.2: /OR\b/i
_NOT.2: /NOT\b/i
_ORDER.2: /ORDER\b/i
_BY.2: /BY\b/i
_NULLS.2: /NULLS\b/i
_LIMIT.2: /LIMIT\b/i
_OFFSET.2: /OFFSET\b/i
AGGREGATE.3: /(COUNT_DISTINCT|COUNT|SUM|AVG|MIN|MAX)(?=\s*\()/i
LIKE.2: /LIKE\b/i
IN.2: /IN\b/i
INCLUDES.2: /(INCLUDES|EXCLUDES)\b/i
NULL.2: /NULL\b/i
TRUE.2: /TRUE\b/i
FALSE.2: /FALSE\b/i
DIRECTION.2: /(ASC|DESC)\b/i
EDGE.2: /(FIRST|LAST)\b/i
RELATIVE.3: /(TODAY|YESTERDAY|TOMORROW|(LAST|NEXT)_N_DAYS:\d+|N_DAYS_AGO:\d+)\b/i
OP: "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
DATETIME.4: /\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:?\d{2})/i
DATE.3: /\d{4}-\d{2}-\d{2}/
INTEGER.1: /\d+/
NUMBER.0: /[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/
STRING: /'(\\.|[^'\\])*'/s
NAME: /(?!(SELECT|FROM|WHERE|AND|OR|NOT|ORDER|LIMIT|LIKE|IN|NULL|NULLS|HAVING|USING|WITH)\b)[A-Za-z][A-Za-z0-9_]*/i
%ignore /\s+/
"""

PARSER = Lark(GRAMMAR, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False)
