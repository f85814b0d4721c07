"""Evaluate a model. Each command prints a Markdown table, and writes it with a JSON file and charts."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import LookalikeError, WeightsError
from lookalike.evaluation.splits import BUNDLED_SPLIT, Side, load_split
from lookalike.faces.detectors import DEFAULT_DETECTOR, load_detector
from lookalike.faces.face import Detector
from lookalike.models.deepface_embedder import settings_path
from lookalike.models.embedder import Embedder
from lookalike.models.registry import DEFAULT_MODEL, find_model
from lookalike.models.similarity import Scale

if TYPE_CHECKING:
    from lookalike.evaluation.groups import Group
    from lookalike.evaluation.models import Cost
    from lookalike.evaluation.verification import Verification

HELD_OUT: tuple[Side, ...] = ("test",)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, or 2 with an error on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run_command(options)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike.evaluation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    verify = commands.add_parser(
        "verify", help="verification (do two photos show one person?) and the cost of one or several models"
    )
    verify.set_defaults(run_command=_verify)

    retrieve = commands.add_parser(
        "retrieve", help="retrieval: enrol some photos of each name and look up the others"
    )
    retrieve.add_argument("--photos-per-name", type=int, default=10, help="photos of each name to enrol")
    retrieve.set_defaults(run_command=_retrieve)

    groups = commands.add_parser(
        "groups", help="accuracy by source, colour and detector, and for degraded photos"
    )
    groups.add_argument("--other-detectors", nargs="*", default=["yunet"], help="detectors to compare with")
    groups.set_defaults(run_command=_groups)

    percentage = commands.add_parser(
        "percentage", help="fit the scale of percentages on the test set and store it beside the model"
    )
    percentage.set_defaults(run_command=_percentage)

    for command in (verify, percentage):
        command.add_argument(
            "--pairs",
            type=Path,
            required=True,
            help="tab-separated file with the columns first, second (file names) and same (0 or 1)",
        )
    for command in (verify, retrieve):
        command.add_argument(
            "--model", nargs="+", default=[DEFAULT_MODEL], help="names of models, or ONNX files"
        )
    for command in (groups, percentage):
        command.add_argument("--model", default=DEFAULT_MODEL, help="the name of a model, or an ONNX file")
    for command in (verify, retrieve, groups, percentage):
        command.add_argument(
            "sources", nargs="+", metavar="SOURCE", help="a source of photos, as for build_gallery.py"
        )
        command.add_argument("--detector", default=DEFAULT_DETECTOR)
        command.add_argument("--split", type=Path, default=BUNDLED_SPLIT, help="split of people")
        command.add_argument("--output", type=Path, default=Path("reports"), help="folder for the results")
    return parser


def _verify(options: argparse.Namespace) -> None:
    from lookalike.evaluation.markdown import markdown, save_report
    from lookalike.evaluation.models import cost, open_model, short_names
    from lookalike.evaluation.photos import embed_photos, read_photos
    from lookalike.evaluation.plots import draw_roc
    from lookalike.evaluation.verification import FALSE_ACCEPTS, read_pairs, score_pairs, verify

    pairs = read_pairs(options.pairs)
    photos = read_photos(options.sources, load_split(options.split), HELD_OUT)
    detector = load_detector(options.detector)
    results, scores, rows = {}, {}, []
    for spec, name in zip(options.model, short_names(options.model), strict=True):
        embedded = embed_photos(photos, detector, open_model(spec))
        scores[name] = score_pairs(embedded, pairs)
        found, price = verify(scores[name], embedded), cost(spec)
        results[name] = asdict(found) | {"detector": detector.name, "cost": asdict(price)}
        rows.append([name, *_verify_row(found, price)])
    accepts = [f"TAR at FAR {rate:g}" for rate in FALSE_ACCEPTS]
    header = ["model", "accuracy", "ROC AUC", *accepts, "file", "per face", "memory"]
    save_report(
        options.output,
        "verify",
        result=results,
        table=markdown(header, rows),
        pictures={"roc": draw_roc(scores)},
    )


def _verify_row(found: Verification, price: Cost) -> list[str]:
    return [
        f"{100 * found.accuracy:.1f} % ± {100 * found.deviation:.1f}",
        f"{found.auc:.4f}",
        *(f"{100 * share:.1f} %" for share in found.true_accepts.values()),
        "" if price.megabytes is None else f"{price.megabytes:.1f} MB",
        f"{price.milliseconds:.1f} ms",
        f"{price.memory:.0f} MB",
    ]


def _retrieve(options: argparse.Namespace) -> None:
    from lookalike.evaluation.markdown import markdown, percent, save_report
    from lookalike.evaluation.models import open_model, short_names
    from lookalike.evaluation.photos import embed_photos, read_photos
    from lookalike.evaluation.plots import draw_confusions
    from lookalike.evaluation.retrieval import by_side, display_names, look_up_often, taken_for

    photos = read_photos(options.sources, load_split(options.split))
    detector = load_detector(options.detector)
    results, pictures, rows = {}, {}, []
    for spec, name in zip(options.model, short_names(options.model), strict=True):
        embedded = embed_photos(photos, detector, open_model(spec))
        draws = look_up_often(embedded, enrolled_each=options.photos_per_name)
        figures, names = by_side(embedded, draws), display_names(embedded)
        taken = taken_for(embedded, draws)
        results[name] = {
            "detector": detector.name,
            "enrolled_each": options.photos_per_name,
            "figures": {side: asdict(side_figures) for side, side_figures in figures.items()},
            "confusions": [
                {"person": names[person], "taken_for": names[other], "times": times}
                for (person, other), times in taken.most_common()
                if person != other
            ],
        }
        pictures[name] = draw_confusions(taken, names)
        for side, one in figures.items():
            first = f"{percent(one.top1)} ± {100 * one.deviation:.1f}"
            shares = (first, percent(one.top5), f"{one.reciprocal_rank:.3f}")
            rows.append([name, side, f"{one.photos:.0f}", str(one.names), *shares])
    header = [
        "model",
        "people",
        "photos",
        "names",
        "top-1 accuracy",
        "top-5 accuracy",
        "mean reciprocal rank",
    ]
    report = "retrieve-" + "-".join(Path(source).stem for source in options.sources)
    save_report(options.output, report, result=results, table=markdown(header, rows), pictures=pictures)


def _groups(options: argparse.Namespace) -> None:
    from lookalike.evaluation.groups import few_of_several, judge_groups
    from lookalike.evaluation.markdown import markdown, save_report
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.photos import read_photos
    from lookalike.evaluation.plots import draw_groups

    photos = few_of_several(read_photos(options.sources, load_split(options.split), HELD_OUT))
    embedder = open_model(options.model)
    groups = judge_groups(
        photos, embedder, load_detector(options.detector), _available(options.other_detectors)
    )
    header = ["group", "", "photos", "face found", "verification", "top-1 accuracy", "ROC AUC", "stability"]
    save_report(
        options.output,
        "groups",
        result={embedder.model.name: [asdict(one) for one in groups]},
        table=markdown(header, [_group_row(one) for one in groups]),
        pictures={"accuracy": draw_groups(groups)},
    )


def _available(names: list[str]) -> list[Detector]:
    """Return the detectors whose weights are present or can be downloaded; print the others."""
    detectors = []
    for name in names:
        try:
            detectors.append(load_detector(name))
        except WeightsError as error:
            print(f"skipped: {error}", file=sys.stderr)
    return detectors


def _group_row(one: Group) -> list[str]:
    shares = [_unless_none(share, "{:.1%}") for share in (one.found, one.accuracy, one.top1)]
    cosines = [_unless_none(one.auc, "{:.3f}"), _unless_none(one.steadiness, "{:.2f}")]
    return [one.group, one.value, str(one.photos), *shares, *cosines]


def _unless_none(figure: float | None, layout: str) -> str:
    return "" if figure is None else layout.format(figure).replace("%", " %")


def _percentage(options: argparse.Namespace) -> None:
    from lookalike.evaluation.markdown import markdown, save_report
    from lookalike.evaluation.metrics import equal_error
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.percentage import fit
    from lookalike.evaluation.photos import embed_photos, read_photos
    from lookalike.evaluation.plots import draw_percentage
    from lookalike.evaluation.verification import all_pairs, read_pairs, score_pairs

    photos = read_photos(options.sources, load_split(options.split), HELD_OUT)
    embedder = open_model(options.model)
    embedded = embed_photos(photos, load_detector(options.detector), embedder)
    scores = score_pairs(embedded, read_pairs(options.pairs))
    threshold, _ = equal_error(scores.same, scores.different)
    fitted_on = f"all pairs among {len(set(embedded.people))} people who are not in the training set"
    scale, check = fit(embedded, threshold=threshold, fitted_on=fitted_on)
    _store_scale(options.model, embedder, scale)
    spread = "{1:.0f} % (8 of 10 between {0:.0f} and {2:.0f})"
    rows = [
        *(
            [f"stranger pairs at {points:.0f} % or more", f"{100 * share:.3g} %"]
            for points, share in check.reached.items()
        ),
        *([f"best of {crowd:,} strangers", spread.format(*found)] for crowd, found in check.best_of.items()),
        ["two photos of one person", spread.format(*check.same_person)],
    ]
    save_report(
        options.output,
        "percentage",
        result={"scale": asdict(scale), "check": asdict(check)},
        table=markdown(["on people whom the scale was not fitted on", ""], rows),
        pictures={"scale": draw_percentage(*all_pairs(embedded), scale)},
    )


def _store_scale(spec: str, embedder: Embedder, scale: Scale) -> None:
    """Store the scale in the JSON beside the model. A public network has none; its scale is in the report."""
    path = Path(spec).with_suffix(".json") if spec.endswith(".onnx") else settings_path(find_model(spec))
    if spec.endswith(".onnx") and not path.exists():
        return
    fields = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    fields |= {"sha256": embedder.weights_hash, "percentage": asdict(scale)}
    path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
