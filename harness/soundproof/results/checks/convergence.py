"""Progress at the end."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Attacks whose last tenth gained over 5 % on most of their clips, or that fool more with twice the steps."""
    doubled = case.probed("longer")
    odd, clips, looked = [], set(), 0
    for each in case.informed:
        if "late" not in each.samples or not each.iterates or each.targeted:
            continue
        looked += 1
        relevant = each.samples["fooled"] > 0 if each.minimises else each.samples["fooled"] == 0
        names, late = each.samples["clip"][relevant], each.samples["late"][relevant] > LATE
        further: list[int] = []
        if not isinstance(doubled, Look) and f"{each.name}/rows" in doubled:
            rows = doubled[f"{each.name}/rows"][doubled[f"{each.name}/fooled"] > 0]
            further = case.attacked()[rows].tolist()
        if (len(late) and late.mean() > 0.5 and case.settled(names[late].tolist())) or case.settled(further):
            odd.append(each)
            clips |= {*names[late].tolist(), *further}
    if not looked:
        return not_applicable("no untargeted attack of many steps")
    said = f"the last tenth of {looked} attacks"
    if not odd:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


# Of what a clip gained in all: at an even pace the last tenth brings 10 %.
LATE = 0.05


CHECK = Check(
    id="convergence",
    number=14,
    title="Had the attack arrived when it ended?",
    source="Carlini et al. 2019; Pintor et al. 2022",
    flag="unconverged",
    remedy="Give it more steps; twice as many should change nothing.",
    look=look,
    after=(
        "attack-batch",
        "idle",
        "unspent",
        "zero-gradients",
        "saturation",
        "randomness",
        "repetition",
        "modes",
        "batch",
        "fresh-copy",
    ),
)
