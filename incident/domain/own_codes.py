"""What carries a code to somebody's own telephone or device, by which they prove it to be theirs."""

from incident.domain.speech import Say


def by_text(code: str, minutes: int, say: Say) -> str:
    """A text message with the code."""
    return say(
        "Tocsin: {code} is the code for your phone number. It is good for {minutes} minutes.",
        code=code,
        minutes=minutes,
    )


def by_call(code: str, say: Say) -> str:
    """What a voice says: the code twice, figure by figure."""
    return say("Your code for Tocsin is: {figures}. Once more: {figures}.", figures=", ".join(code))


def by_push(code: str, minutes: int, say: Say) -> tuple[str, str]:
    """Title and text of a push message with the code."""
    return say("Your code for Tocsin"), say(
        "{code} is the code for this device. It is good for {minutes} minutes.", code=code, minutes=minutes
    )
