"""S3: objects are put over others, put anew and deleted; a version is the ETag, and writes are conditional on it."""

# boto3 has no types and lives in an environment of its own; what leaves this module is typed.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.undo.services.dumps import State
from interlock import Ctx, Refused, Versioned, action

if TYPE_CHECKING:
    from benchmarks.undo.services.world import World

BUCKET = "desk"
ELSE = "tickets.csv"
ABSENT = ("NoSuchKey", "404", "NoSuchBucket")


def account(port: int) -> dict[str, Any]:
    """Return what a client of the AWS server is made with."""
    keys = {"aws_access_key_id": "ana", "aws_secret_access_key": "secret"}
    return {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1", **keys}


class Bucket:
    """The objects of the desk."""

    name = "S3"

    def __init__(self, port: int) -> None:
        self._s3 = boto3.client("s3", **account(port))

    def read(self, key: str) -> Versioned | None:
        """Return an object's text, type and own metadata, with its ETag."""
        try:
            found = self._s3.get_object(Bucket=BUCKET, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise
        text = found["Body"].read().decode()
        return Versioned({"text": text, "type": found["ContentType"], "metadata": found["Metadata"]}, found["ETag"])

    def write(self, key: str, state: dict[str, Any] | None, over: Versioned | None) -> None:
        """Put *state* where *over* is, None where there is none; only if it is still there.

        Raises:
            Refused: somebody changed it in the meantime.
        """
        place = {"Bucket": BUCKET, "Key": key}
        given = {"IfMatch": over.version} if over is not None else {"IfNoneMatch": "*"}
        try:
            if state is not None:
                kind = {"ContentType": state["type"], "Metadata": state["metadata"]}
                self._s3.put_object(**place, **given, **kind, Body=state["text"].encode())
            elif over is not None:
                self._s3.delete_object(**place, **given)
        except ClientError as error:
            if error.response["Error"]["Code"] == "PreconditionFailed":
                raise Refused(f"somebody changed {key} in the meantime") from error
            raise

    def put(self, key: str, text: str, *, by: str = "desk") -> None:
        """Put an object, whatever is there."""
        self.write(key, {"text": text, "type": "text/csv", "metadata": {"by": by}}, self.read(key))

    def seed(self) -> None:
        """Begin with a report, a draft and something of somebody else."""
        if BUCKET not in self._buckets():
            self._s3.create_bucket(Bucket=BUCKET)
        for key in self._keys(BUCKET):
            self._s3.delete_object(Bucket=BUCKET, Key=key)
        for key in ("report.csv", "draft.csv", ELSE):
            self.put(key, f"{key} of the beginning\n", by="bob")

    def state(self) -> State:
        """Return all objects of all buckets; when an object was last written is not part of it."""
        return {
            f"{bucket}/{key}": self._object(bucket, key) for bucket in self._buckets() for key in self._keys(bucket)
        }

    def edit_another(self) -> None:
        """Put another object."""
        self.put(ELSE, "two more tickets\n", by="eve")

    def edit_ours(self) -> None:
        """Put another report."""
        self.put("report.csv", "the report as eve has it\n", by="eve")

    def _buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self._s3.list_buckets()["Buckets"]]

    def _keys(self, bucket: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _object(self, bucket: str, key: str) -> dict[str, Any]:
        found = self._s3.get_object(Bucket=bucket, Key=key)
        tags = self._s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        kept = {name: found[name] for name in ("ETag", "ContentType", "Metadata")}
        return {"text": found["Body"].read().decode(), "tags": tags, **kept}


@action.reversible
def put_object(ctx: Ctx["World"], key: str, text: str) -> None:
    """Put a text into the bucket."""
    ctx.deps.bucket.put(key, text)


@put_object.snapshot
def _(ctx: Ctx["World"], done: None, key: str, text: str) -> dict[str, Any]:
    return {f"s3/{key}": ctx.deps.bucket.read(key)}


@put_object.undo
def _(ctx: Ctx["World"], done: None, key: str, text: str) -> None:
    _put_back(ctx, key)


@action.reversible
def delete_object(ctx: Ctx["World"], key: str) -> None:
    """Delete an object of the bucket."""
    ctx.deps.bucket.write(key, None, ctx.deps.bucket.read(key))


@delete_object.snapshot
def _(ctx: Ctx["World"], done: None, key: str) -> dict[str, Any]:
    return {f"s3/{key}": ctx.deps.bucket.read(key)}


@delete_object.undo
def _(ctx: Ctx["World"], done: None, key: str) -> None:
    _put_back(ctx, key)


def _put_back(ctx: Ctx["World"], key: str) -> None:
    before = ctx.before[f"s3/{key}"]
    ctx.deps.bucket.write(key, None if before is None else before.state, ctx.now[f"s3/{key}"])
