"""By which membership an act is done: the defaults of the project, in its order."""

FULL_MEMBERS_ONLY = frozenset(
    {"committee_vote", "committee_candidacy", "decision_vote", "delegate_vote", "admission_vote", "discipline_vote"}
)
OF_EVERYBODY = frozenset({"meeting", "study_credits", "statistics"})
# (act, in the physical branch, in a virtual one).
DEFAULT = (
    ("committee_vote", True, True),
    ("committee_candidacy", True, True),
    ("decision_vote", True, True),
    ("delegate_vote", True, False),
    ("admission_vote", True, False),
    ("discipline_vote", True, False),
    ("meeting", True, True),
    ("dues", True, False),
    ("transfer", True, False),
    ("democratic_review", True, False),
    ("study_credits", True, False),
    ("points", True, False),
    ("statistics", True, False),
    ("survey", True, False),
    ("awards", True, False),
)
PHYSICAL, FULL, MEMBERS = 1, 5, frozenset({4, 5, 6})


def acts_of(stored, *, kind: int, status: int) -> list[str]:
    """Return what a membership entitles to."""
    rights = [(one["act"], one["by_physical"], one["by_virtual"]) for one in stored] if stored else DEFAULT
    return [
        act
        for act, by_physical, by_virtual in rights
        if (by_physical if kind == PHYSICAL else by_virtual)
        and (status == FULL or act not in FULL_MEMBERS_ONLY)
        and (status in MEMBERS or act in OF_EVERYBODY)
    ]
