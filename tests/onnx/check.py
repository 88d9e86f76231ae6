"""Holds sealed programs against the public ONNX checker: `check.py FILE...` (needs `pip install onnx`)."""

import sys

from onnx import checker


def verdict(path: str) -> str:
    """What the checker says of one file, in one line."""
    try:
        checker.check_model(path, full_check=False)
    except Exception as refusal:  # the checker raises more kinds than it documents
        return f"refused: {' '.join(str(refusal).split())}"
    return "ok"


def main(paths: list[str]) -> int:
    verdicts = {path: verdict(path) for path in paths}
    for path, said in verdicts.items():
        print(f"{path}: {said}")
    # No file at all is a failure: nothing was shown.
    return 0 if verdicts and all(said == "ok" for said in verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
