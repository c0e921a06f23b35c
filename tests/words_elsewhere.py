"""Texts of the interface that stand where `tests/words.py` finds none: in libraries, and behind functions of ours that pass them on."""

WTFORMS = (
    "This field is required.",
    "Field must be at least %(min)s character long.",
    "Field must be at least %(min)s characters long.",
    "Field cannot be longer than %(max)s character.",
    "Field cannot be longer than %(max)s characters.",
    "Field must be between %(min)s and %(max)s characters long.",
    "Number must be at least %(min)s.",
    "Number must be at most %(max)s.",
    "Number must be between %(min)s and %(max)s.",
    "Not a valid integer value.",
    "Not a valid choice.",
    "Invalid Choice: could not coerce.",
)
"""What WTForms says of fields."""
PASSED_ON = (
    "This is not a valid e-mail address.",
    "%(question)s: write at least a sentence, even if it is “nothing”.",
    "Type the reference %(ref)s to confirm.",
    "Say why; whoever proposed it reads it.",
    "%(word)s is no place we know. ",
    "Give an answer first.",
    "The facts answer this question otherwise: say in a few words why you answer by hand.",
    "When it reached us.",
    "By what was reported.",
    "%(label)s: %(word)s is not a place; use codes such as DE, CN or US-TX.",
    "Brought in",
)
"""Refusals and reasons whose text a function of ours is given."""
IN_CODE = ("phone", "house", "joined", "request", "post", "unknown", "leak", "accepted", "waiting")
"""Words that lines of the record keep, with no table of their own."""
SPANS = tuple(
    f"%(amount)s {noun}"
    for noun in (
        "h",
        "min",
        "day",
        "days",
        "working day",
        "working days",
        "month",
        "months",
    )
)
"""How long a law gives, by itself, as `Limit.words` has it."""
EVERYTHING = (*WTFORMS, *PASSED_ON, *IN_CODE, *SPANS)
