"""Drives every operation of the API with boto3 against a running server.

Takes the server and the administrator's key from AWS's own variables, and from these
  NOBODY_KEY_ID, NOBODY_SECRET   a user without any right
  COVERAGE                       where to write the table of what was covered

Every answer is compared with botocore's model (strict.py). Fails if an operation was not called successfully, if a
modelled error was neither provoked nor listed below with the reason, or if a paginator was not walked.
"""

import hashlib
import os
import sys
import traceback

import errors
import groups
import listings
import scenarios
from strict import Recorder

# Errors of any operation that no request brings about.
NEVER = {
    "InternalServerException": "a defect, not an answer to a request",
    "ThrottlingException": "there is no rate limit",
}


def table(recorder, model):
    """The README's table, and what is missing from it."""
    columns = ["AccessDenied", "Conflict", "ResourceNotFound", "ServiceQuotaExceeded", "Validation"]
    lines = [
        "| operation | answered | denied | conflict | not found | quota | validation | pages |",
        "|---|---|---|---|---|---|---|---|",
    ]
    missing = []
    paginated = set(listings.PAGINATED)
    for name in sorted(model.operation_names):
        row = [name, "yes" if name in recorder.answered else "NO"]
        if name not in recorder.answered:
            missing.append(f"{name} never answered")
        modelled = {shape.name for shape in model.operation_model(name).error_shapes}
        for column in columns:
            error = f"{column}Exception"
            if error not in modelled:
                row.append("")
            elif error in recorder.errors.get(name, set()):
                row.append("yes")
            elif (name, column) in errors.UNREACHABLE:
                row.append("–")
            else:
                row.append("NO")
                missing.append(f"{name} was never refused with {error}")
        row.append("yes" if name in recorder.paginated else "" if name not in paginated else "NO")
        if name in paginated - recorder.paginated:
            missing.append(f"{name} was not walked page by page")
        lines.append("| " + " | ".join(row) + " |")
    for name, column in errors.UNREACHABLE:
        if f"{column}Exception" in recorder.errors.get(name, set()):
            missing.append(f"{name} was refused with {column}, which errors.py says cannot happen")
    legend = (
        "\nEach operation was driven by boto3 against a running server, its answer compared with botocore's model "
        "member by member, each of its modelled errors provoked, each paginator walked with one item per page. "
        "Empty: not in the model. –: nothing brings it about here (`e2e/boto3/errors.py` says why). "
        "No request brings about InternalServerException, and there is no rate limit.\n"
    )
    return "\n".join(lines) + "\n" + legend, missing


def main():
    recorder = Recorder()
    admin = recorder.client(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    nobody = recorder.client(os.environ["NOBODY_KEY_ID"], os.environ["NOBODY_SECRET"])
    failures = []
    for scenario in scenarios.ALL + groups.ALL + listings.ALL + errors.ALL:
        try:
            scenario(recorder, admin, nobody)
        except Exception:
            failures.append(f"{scenario.__name__}: {traceback.format_exc(limit=-4)}")
    text, missing = table(recorder, admin.meta.service_model)
    for failure in failures + missing:
        print(failure)
    if failures or missing:
        sys.exit(1)
    with open(os.environ["COVERAGE"], "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{len(recorder.answered)} operations, table {hashlib.sha256(text.encode()).hexdigest()[:12]}")


if __name__ == "__main__":
    main()
