"""DynamoDB: an item is updated; it has no version, so that a write is conditional on every attribute."""

# boto3 has no types and lives in an environment of its own; what leaves this module is typed.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.undo.services.bucket import account
from benchmarks.undo.services.dumps import State
from interlock import Ctx, Refused, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

TABLE = "stock"
Item = dict[str, dict[str, str]]


class Table:
    """What is in stock."""

    name = "DynamoDB"

    def __init__(self, port: int) -> None:
        self._db = boto3.client("dynamodb", **account(port))

    def read(self, item: str) -> Item | None:
        """Return an item as the service has it, None where there is none."""
        found = self._db.get_item(TableName=TABLE, Key={"id": {"S": item}}, ConsistentRead=True)
        return found.get("Item")

    def count(self, item: str, count: int) -> None:
        """Set how many there are, and note that they were counted."""
        values = {":count": {"N": str(count)}, ":word": {"S": "counted"}}
        update = "SET in_stock = :count, note = :word"
        key = {"id": {"S": item}}
        self._db.update_item(TableName=TABLE, Key=key, UpdateExpression=update, ExpressionAttributeValues=values)

    def replace(self, now: Item, item: Item) -> None:
        """Put *item* in the place of *now*.

        Raises:
            Refused: it is not as *now* any more.
        """
        names = {f"#n{index}": name for index, name in enumerate(now)}
        values = {f":v{index}": value for index, value in enumerate(now.values())}
        same = " AND ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        condition = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        try:
            self._db.put_item(TableName=TABLE, Item=item, ConditionExpression=same, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise Refused(f"somebody changed {item['id']['S']} in the meantime") from error
            raise

    def seed(self) -> None:
        """Begin with three items, none of them counted."""
        if TABLE in self._tables():
            self._db.delete_table(TableName=TABLE)
        key = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
        types = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
        self._db.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **key, **types)
        for number, item in enumerate(("lamp", "chair", "desk"), 7):
            self._db.put_item(TableName=TABLE, Item={"id": {"S": item}, "in_stock": {"N": str(number)}})

    def state(self) -> State:
        """Return all items of all tables."""
        return {f"{table}/{item['id']['S']}": item for table in self._tables() for item in self._items(table)}

    def edit_another(self) -> None:
        """Count another item."""
        self.count("chair", 1)

    def edit_ours(self) -> None:
        """Count the same item once more."""
        self.count("lamp", 99)

    def _tables(self) -> list[str]:
        return self._db.list_tables()["TableNames"]

    def _items(self, table: str) -> list[Item]:
        return [item for page in self._db.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]


@action.reversible
def count_stock(ctx: Ctx["World"], item: str, count: int) -> None:
    """Set how many of an item are in stock."""
    ctx.deps.table.count(item, count)


@count_stock.snapshot
def _(ctx: Ctx["World"], done: None, item: str, count: int) -> dict[str, Any]:
    return {f"stock/{item}": ctx.deps.table.read(item)}


@count_stock.undo
def _(ctx: Ctx["World"], done: None, item: str, count: int) -> None:
    name = f"stock/{item}"
    ctx.deps.table.replace(ctx.now[name], ctx.before[name])
