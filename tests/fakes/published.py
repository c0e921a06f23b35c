"""What the providers' published contracts let a request hold, for the requests that we make: names, types, limits.

Our own short tables, each with the page it was read on; whatever is not in a table is refused, as strict readers do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Words:
    """A string: how long, of which words, or of which form."""

    least: int = 0
    most: int = 1_000_000
    among: Sequence[str] = ()
    form: str = ""


@dataclass(frozen=True)
class Thing:
    """An object: what it may hold, what it must, and what any further value has to be."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    needs: Sequence[str] = ()
    further: Any = None
    most: int = 10_000


@dataclass(frozen=True)
class Several:
    """A list."""

    of: Any
    least: int = 0
    most: int = 1_000_000


def broken(value: Any, rule: Any, place: str = "") -> list[str]:
    """The places where a value is not what the contract says; empty where all is well."""
    if isinstance(rule, Thing):
        return _thing(value, rule, place)
    if isinstance(rule, Several):
        if not isinstance(value, list) or not rule.least <= len(value) <= rule.most:
            return [place]
        return [found for number, one in enumerate(value) for found in broken(one, rule.of, f"{place}.{number}")]
    if isinstance(rule, Words):
        return [] if isinstance(value, str) and _fits(value, rule) else [place]
    return [] if type(value) is rule else [place]


def _thing(value: Any, rule: Thing, place: str) -> list[str]:
    if not isinstance(value, dict) or len(value) > rule.most:
        return [place]
    found = [f"{place}.{name}".lstrip(".") for name in rule.needs if name not in value]
    for name, one in value.items():
        inner = rule.fields.get(name, rule.further)
        here = f"{place}.{name}".lstrip(".")
        found += broken(one, inner, here) if inner is not None else [here]
    return found


def _fits(value: str, rule: Words) -> bool:
    return (
        rule.least <= len(value) <= rule.most
        and (not rule.among or value in rule.among)
        and (not rule.form or re.fullmatch(rule.form, value) is not None)
    )


SWITCH = Thing({"enable": bool})
ADDRESS = Thing({"email": Words(3, 320, form=r"[^@\s]+@[^@\s]+"), "name": Words()}, needs=("email",))

# SendGrid, POST /v3/mail/send: twilio/sendgrid-oai spec/json/tsg_mail_v3.json, and
# https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
SENDGRID_MAIL = Thing(
    {
        "from": ADDRESS,
        "reply_to": ADDRESS,
        "subject": Words(1),
        "personalizations": Several(
            Thing(
                {
                    "to": Several(ADDRESS, 1, 1_000),
                    "subject": Words(1),
                    "substitutions": Thing(further=Words()),
                    "custom_args": Thing(further=Words()),
                },
                needs=("to",),
            ),
            1,
            1_000,
        ),
        "content": Several(Thing({"type": Words(1), "value": Words(1)}, needs=("type", "value"))),
        "headers": Thing(further=Words()),
        "mail_settings": Thing(
            {
                "bypass_unsubscribe_management": SWITCH,
                "bypass_spam_management": SWITCH,
                "bypass_bounce_management": SWITCH,
                "footer": Thing({"enable": bool, "text": Words(), "html": Words()}),
                "sandbox_mode": SWITCH,
            }
        ),
        "tracking_settings": Thing(
            {
                "click_tracking": Thing({"enable": bool, "enable_text": bool}),
                "open_tracking": Thing({"enable": bool, "substitution_tag": Words()}),
                "subscription_tracking": Thing({"enable": bool, "text": Words(), "html": Words()}),
                "ganalytics": Thing({"enable": bool}),
            }
        ),
    },
    needs=("personalizations", "from"),
)

# FCM, POST /v1/projects/{project}/messages:send: discovery document fcm.v1 (Message, Notification, AndroidConfig,
# AndroidNotification, ApnsConfig), https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
FCM_MESSAGE = Thing(
    {
        "message": Thing(
            {
                "token": Words(1),
                "notification": Thing({"title": Words(1), "body": Words(1)}),
                "data": Thing(further=Words()),
                "android": Thing(
                    {
                        "priority": Words(among=("NORMAL", "HIGH")),
                        "ttl": Words(form=r"[0-9]+(\.[0-9]+)?s"),
                        "collapseKey": Words(),
                        "notification": Thing(
                            {
                                "tag": Words(),
                                "visibility": Words(among=("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET")),
                            }
                        ),
                    }
                ),
                "apns": Thing({"headers": Thing(further=Words())}),
            },
            needs=("token",),
        ),
        "validateOnly": bool,
    },
    needs=("message",),
)

# A push service: RFC 8030 sections 5 to 5.4 (TTL, Urgency, Topic), RFC 8188 (Content-Encoding), RFC 8292 section 3.
WEB_PUSH_HEADERS = Thing(
    {
        "authorization": Words(form=r"vapid t=[\w-]+\.[\w-]+\.[\w-]+, ?k=[\w-]{87}"),
        "ttl": Words(form=r"[0-9]+"),
        "urgency": Words(among=("very-low", "low", "normal", "high")),
        "topic": Words(form=r"[A-Za-z0-9_-]{1,32}"),
        "content-encoding": Words(among=("aes128gcm",)),
    },
    needs=("authorization", "ttl", "content-encoding"),
    further=Words(),  # what HTTP itself sends
)

# The message in it: https://www.w3.org/TR/push-api/, declarative push messages.
WEB_PUSH_MESSAGE = Thing(
    {
        "web_push": int,
        "notification": Thing(
            {"title": Words(1), "navigate": Words(1), "body": Words(), "lang": Words(), "tag": Words(), "silent": bool},
            needs=("title", "navigate"),
        ),
    },
    needs=("web_push", "notification"),
)

NUMBER = Words(form=r"\+[1-9][0-9]{5,14}")
WHOLE_NUMBER = Words(form=r"[0-9]{1,6}")
YES_OR_NO = Words(among=("true", "false"))
CALLED_BACK = Words(form=r"https?://[A-Za-z0-9.-]+(:[0-9]+)?/\S*")  # a host name takes no underscore

# Twilio, POST …/Messages.json: twilio/twilio-oai spec/json/twilio_api_v2010.json (CreateMessageRequest), and
# https://www.twilio.com/docs/messaging/api/message-resource. One of From and MessagingServiceSid has to be there.
TWILIO_MESSAGE = Thing(
    {
        "To": NUMBER,
        "From": NUMBER,
        "MessagingServiceSid": Words(form=r"MG[0-9a-fA-F]{32}"),
        "Body": Words(1, 1_600),
        "StatusCallback": CALLED_BACK,
        "ValidityPeriod": WHOLE_NUMBER,
        "ContentRetention": Words(among=("retain", "discard")),
        "AddressRetention": Words(among=("retain", "obfuscate")),
        "SmartEncoded": YES_OR_NO,
    },
    needs=("To", "Body"),
)

# Twilio, GET …/Messages.json: the same file (ListMessage).
TWILIO_LIST = Thing(
    {
        "To": NUMBER,
        "From": NUMBER,
        "DateSent": Words(1),
        "DateSent<": Words(1),
        "DateSent>": Words(1),
        "PageSize": Words(form=r"[1-9][0-9]{0,2}|1000"),
        "Page": WHOLE_NUMBER,
        "PageToken": Words(1),
    }
)

# SendGrid, GET /v3/messages: twilio/sendgrid-oai spec/json/tsg_email_activity_v3.json, and
# https://www.twilio.com/docs/sendgrid/api-reference/e-mail-activity/filter-all-messages
SENDGRID_ACTIVITY = Thing({"query": Words(1), "limit": Words(form=r"[1-9][0-9]{0,2}|1000")}, needs=("query",))

# Twilio, POST …/Calls.json: the same file (CreateCallRequest), and https://www.twilio.com/docs/voice/api/call-resource.
TWILIO_CALL = Thing(
    {
        "To": NUMBER,
        "From": NUMBER,
        "Twiml": Words(1, 4_000),
        "Timeout": WHOLE_NUMBER,
        "TimeLimit": WHOLE_NUMBER,
        "Record": YES_OR_NO,
        "MachineDetection": Words(among=("Enable", "DetectMessageEnd")),
        "CallReason": Words(1),
        "StatusCallback": CALLED_BACK,
        "StatusCallbackMethod": Words(among=("GET", "POST")),
        "StatusCallbackEvent": Several(Words(among=("initiated", "ringing", "answered", "completed"))),
    },
    needs=("To", "From", "Twiml"),
)
