"""Alerts by e-mail."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from urllib.parse import unquote, urlsplit

from serinus.alerts.addresses import Mailbox
from serinus.alerts.alert import Alert, Level
from serinus.alerts.bodies import iso, one_line
from serinus.alerts.delivery import NotDelivered

TIMEOUT_SECONDS = 10.0
SUBJECT_LIMIT = 200
SIGNS = {Level.CRITICAL: "🚨", Level.HIGH: "🔴", Level.MEDIUM: "🟠"}
COLOURS = {Level.CRITICAL: "#b00020", Level.HIGH: "#b00020", Level.MEDIUM: "#9a5b00"}


class Mail:
    """Sends every alert to all recipients at once; the server's own word is in the error, the password never."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._parts = urlsplit(mailbox.url)

    async def __call__(self, alert: Alert) -> None:
        import aiosmtplib  # its import takes longer than that of all other channels

        parts, is_tls = self._parts, self._parts.scheme == "smtps"
        try:
            await aiosmtplib.send(
                message_of(alert, self._mailbox),
                hostname=parts.hostname,
                port=parts.port or (465 if is_tls else 587),
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=is_tls,
                start_tls=None if is_tls or not parts.password else True,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPResponseException as error:
            refused = f"the server answered {error.code}"
            raise NotDelivered(refused, final=500 <= error.code < 600) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotDelivered(f"the server cannot be used ({type(error).__name__})") from None


def message_of(alert: Alert, mailbox: Mailbox) -> EmailMessage:
    """Text and HTML. Mails of one incident are one conversation: they refer to a message that is never sent."""
    message = EmailMessage()
    sign = "✅" if alert.resolved else SIGNS.get(alert.level, "ℹ️")
    message["Subject"] = f"{sign} {one_line(alert)}"[:SUBJECT_LIMIT]
    message["From"] = mailbox.sender
    message["To"] = ", ".join(mailbox.recipients)
    message["Date"] = format_datetime(datetime.fromtimestamp(alert.at, UTC))
    domain = Address(addr_spec=mailbox.sender).domain or "serinus.invalid"
    message["Message-ID"] = f"<event-{alert.event}.serinus@{domain}>"
    message["References"] = f"<{_token(alert.dedup_key)}.serinus@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    message.set_content(_text(alert))
    message.add_alternative(_html(alert), subtype="html")
    return message


def _token(text: str) -> str:
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text)


def _text(alert: Alert) -> str:
    lines = (alert.title, alert.text, f"{alert.level} · {iso(alert.at)}", alert.rollout_id or "", alert.link or "")
    return "\n\n".join(line for line in lines if line) + "\n"


def _html(alert: Alert) -> str:
    colour = "#1a7f37" if alert.resolved else COLOURS.get(alert.level, "#1f2328")
    about = " · ".join(escape(part) for part in (alert.level.value, iso(alert.at), alert.rollout_id or "") if part)
    link = f'<p><a href="{escape(alert.link)}">{escape(alert.link)}</a></p>' if alert.link else ""
    body = f'<h2 style="color:{colour}">{escape(alert.title)}</h2><p>{escape(alert.text)}</p><p>{about}</p>{link}'
    return f'<!doctype html><html><body style="font-family:sans-serif">{body}</body></html>\n'
