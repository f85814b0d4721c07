"""What the commands do: each reads photos, measures, prints its tables and writes them.

Their modules are imported when a command runs: scikit-learn and matplotlib take a second.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import MissingFileError, SourceError, WeightsError
from lookalike.evaluation.splits import Side, load_split
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Detector
from lookalike.files import write_text
from lookalike.models.embedder import Embedder
from lookalike.models.registry import calibration_path

if TYPE_CHECKING:
    from lookalike.evaluation.population import Population

HELD_OUT: tuple[Side, ...] = ("test",)


def verify(options: argparse.Namespace) -> None:
    """Print how well models tell whether two photos show one person, by source, and what they cost."""
    from lookalike.evaluation.markdown import save_report
    from lookalike.evaluation.models import cost, open_model, short_names
    from lookalike.evaluation.photos import embed_photos, read_photos
    from lookalike.evaluation.plots import draw_roc
    from lookalike.evaluation.tables import verification_tables
    from lookalike.evaluation.verification import rates_by_source, read_pairs, score_pairs, verify

    pairs = read_pairs(options.pairs)
    photos = read_photos(options.sources, load_split(options.split), HELD_OUT)
    detector = load_detector(options.detector)
    results, scores, figures = {}, {}, {}
    for spec, name in zip(options.model, short_names(options.model), strict=True):
        embedded = embed_photos(photos, detector, open_model(spec))
        scores[name] = score_pairs(embedded, pairs)
        found, price, sources = verify(scores[name], embedded), cost(spec), rates_by_source(embedded)
        figures[name] = found, price, sources
        results[name] = asdict(found) | {
            "detector": detector.name,
            "cost": asdict(price),
            "sources": [asdict(rates) for rates in sources],
        }
    save_report(
        options.output,
        "verify",
        result=results,
        table=verification_tables(figures),
        pictures={"roc": partial(draw_roc, scores)},
    )


def retrieve(options: argparse.Namespace) -> None:
    """Print how often the right name comes first among the names of one source."""
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
        pictures[name] = partial(draw_confusions, taken, names)
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


def groups(options: argparse.Namespace) -> None:
    """Print accuracy by source, colour and detector, and for degraded photos."""
    from lookalike.evaluation.groups import few_of_several, measure_groups
    from lookalike.evaluation.markdown import save_report
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.photos import read_photos
    from lookalike.evaluation.plots import draw_groups
    from lookalike.evaluation.tables import groups_table

    photos = few_of_several(read_photos(options.sources, load_split(options.split), HELD_OUT))
    embedder = open_model(options.model)
    groups = measure_groups(
        photos, embedder, load_detector(options.detector), _available(options.other_detectors)
    )
    save_report(
        options.output,
        "groups",
        result={embedder.model.name: [asdict(one) for one in groups]},
        table=groups_table(groups),
        pictures={"accuracy": partial(draw_groups, groups)},
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


def cohort(options: argparse.Namespace) -> None:
    """Fit the cohort of strangers that normalizes a model's cosines, and store it beside the model."""
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.percentage import cohort_faces
    from lookalike.evaluation.reach import fit_reach
    from lookalike.models.cohort import fit_mixture
    from lookalike.models.deepface_embedder import DeepFaceEmbedder, centred, mean_to_json

    path, embedder = _calibration_file(options.model), open_model(options.model)
    to_centre = embedder if isinstance(embedder, DeepFaceEmbedder) and embedder.model.centred else None
    population = _population(options, to_centre.with_mean(None) if to_centre else embedder, ("cohort",))
    faces, fields = cohort_faces(population), {}
    if to_centre:
        mean = faces.mean(axis=0)
        embedder, faces, fields = (
            to_centre.with_mean(mean),
            centred(faces, mean),
            {"mean": mean_to_json(mean)},
        )
        population = replace(population, embeddings=centred(population.embeddings, mean))
    mixture = fit_reach(population, fit_mixture(faces))
    _store(path, embedder, fields | {"cohort": mixture.to_json(), "percentage": None})
    print(f"{path}: a cohort fitted to {len(population):,} faces; now fit the percentage.")


def strangers(options: argparse.Namespace) -> None:
    """Write photos of ordinary strangers for `build_gallery.py --cohort`."""
    from lookalike.evaluation.strangers import write_strangers

    path = options.output / "strangers.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    count = write_strangers(options.tables, load_split(options.split), path)
    print(f"{path}: {count:,} strangers")


def percentage(options: argparse.Namespace) -> None:
    """Fit the percentage on held-out people, check it on others, and store it beside the model."""
    from lookalike.evaluation.markdown import save_report
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.percentage import calibrate, check
    from lookalike.evaluation.plots import draw_percentage
    from lookalike.evaluation.tables import percentage_tables
    from lookalike.models.cohort import Mixture

    path = _calibration_file(options.model)
    embedder = open_model(options.model)
    fitting, testing = _fit_and_test(options, embedder)
    stored = json.loads(path.read_text(encoding="utf-8")).get("cohort") if path.exists() else None
    mixture = None if stored is None else Mixture.from_json(stored, embedder.model.dim)
    fitted_on = f"pairs within groups among {len(fitting):,} faces that training never saw"
    calibration = calibrate(fitting, mixture, fitted_on=fitted_on)
    _store(path, embedder, calibration.to_json())
    by_cosine = calibrate(fitting, None, fitted_on=fitted_on).scale
    found = {"cosine": check(testing.with_cosines(), by_cosine)}
    if calibration.cohort:
        found["score"] = check(testing.with_cohort(calibration.cohort), calibration.scale)
    save_report(
        options.output,
        "percentage",
        result={"scale": asdict(calibration.scale), "checks": found},
        table=percentage_tables(found),
        pictures={"groups": partial(draw_percentage, found)},
    )


def _fit_and_test(options: argparse.Namespace, embedder: Embedder) -> tuple[Population, Population]:
    """Return the faces to fit on (validation and half of the named test people), and the other test faces."""
    from lookalike.evaluation.population import halves, joined

    half, testing = halves(_population(options, embedder, ("test",)))
    try:
        return joined([_population(options, embedder, ("validation",)), half]), testing
    except SourceError:  # the split has no validation people among these photos
        return half, testing


def _population(options: argparse.Namespace, embedder: Embedder, sides: tuple[Side, ...]) -> Population:
    from lookalike.evaluation.population import read_population

    return read_population(
        options.sources,
        load_split(options.split),
        sides,
        embedder=embedder,
        detector=load_detector(options.detector),
    )


def _calibration_file(spec: str) -> Path:
    """Return the JSON in which a model's calibration is stored; raise a LookalikeError before any work where
    there is none for this model.
    """
    if spec.endswith(".onnx"):
        path = Path(spec).with_suffix(".json")
        if not path.exists():
            raise MissingFileError(f"{spec} has no JSON beside it to store a percentage in; export it again.")
        return path
    return calibration_path(spec)


def _store(path: Path, embedder: Embedder, fields: dict[str, Any]) -> None:
    """Add fields to the JSON beside a model's weights."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    stored |= {"sha256": embedder.weights_hash} | fields
    write_text(path, json.dumps(stored, indent=2) + "\n")
