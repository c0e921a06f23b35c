"""A few rows of each of several tables in one statement, for pages that gather from many rooms.

Every table's rows stand below each other, with nothing in the columns of the others: made for some dozens of rows in all.
A table that gives many is better asked by itself.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, bindparam, cast, func, literal, null, select, union_all
from sqlalchemy.orm import aliased

from incident.store.db import BigInt, db


class Part(NamedTuple):
    """Rows of one table: which, in what order, and how many at most."""

    query: Select[Any]
    order: tuple[Any, ...]
    most: int


class Together:
    """Parts of different tables about one thing, spelt once: `parts` makes them from the parameter that its number is given by."""

    def __init__(self, parts: Callable[[BindParameter[int]], Sequence[Part]]) -> None:
        self._parts = parts

    def read(self, of: int) -> list[list[Any]]:
        """The rows of each part about the thing with this number, part by part."""
        statement, count = self._statement
        found: list[list[Any]] = [[] for _ in range(count)]
        for part, _, *rows in db.session.execute(statement, {"of": of}):
            found[part].append(rows[part])
        return found

    @cached_property
    def _statement(self) -> tuple[Select[Any], int]:
        parts = self._parts(bindparam("of", type_=BigInt))
        models = [part.query.column_descriptions[0]["entity"] for part in parts]
        chosen = []
        for part in parts:
            place = func.row_number().over(order_by=part.order).label("place")
            chosen.append(part.query.add_columns(place).order_by(*part.order).limit(part.most).subquery())
        columns = [(number, column) for number, model in enumerate(models) for column in model.__table__.columns]
        below_each_other = union_all(
            *(
                select(
                    literal(number).label("part"),
                    rows.c.place,
                    *(
                        (rows.c[column.name] if owner == number else cast(null(), column.type)).label(
                            f"c{owner}_{column.name}"
                        )
                        for owner, column in columns
                    ),
                )
                for number, rows in enumerate(chosen)
            )
        ).subquery()
        read = [aliased(model, below_each_other) for model in models]
        query = select(below_each_other.c.part, below_each_other.c.place, *read)
        return query.order_by(below_each_other.c.part, below_each_other.c.place), len(parts)
