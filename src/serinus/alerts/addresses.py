"""Where the channels lead, as the installation's settings say."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import SecretStr

from serinus.alerts.alert import APPRISE, EMAIL, LOG, PAGERDUTY, SENTRY, SLACK, WEBHOOK
from serinus.settings import Settings

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`url`: ``smtp://user:password@host:587`` (STARTTLS, which a password demands) or ``smtps://`` (TLS from the
    beginning); a secret.
    """

    url: str
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """All of it secret; None: not configured."""

    slack: str | None = None
    pagerduty_key: str | None = None
    pagerduty_url: str = PAGERDUTY_URL
    webhook: str | None = None
    webhook_secret: str | None = None
    mailbox: Mailbox | None = None
    apprise: str | None = None
    sentry: str | None = None
    release: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """The channels that can be used."""
        there = {
            SLACK: self.slack,
            PAGERDUTY: self.pagerduty_key,
            EMAIL: self.mailbox,
            WEBHOOK: self.webhook,
            APPRISE: self.apprise,
            SENTRY: self.sentry,
        }
        return frozenset(name for name, address in there.items() if address)


def addresses_of(settings: Settings) -> Addresses:
    """The settings have been checked: what stands there can be used."""
    return Addresses(
        slack=_revealed(settings.slack_webhook_url),
        pagerduty_key=_revealed(settings.pagerduty_routing_key),
        pagerduty_url=str(settings.pagerduty_url),
        webhook=_revealed(settings.webhook_url),
        webhook_secret=_revealed(settings.webhook_secret),
        mailbox=_mailbox(settings),
        apprise=_revealed(settings.apprise_url),
        sentry=_revealed(settings.sentry_dsn),
        release=settings.release,
    )


SETTINGS = {
    SLACK: "SERINUS_SLACK_WEBHOOK_URL",
    PAGERDUTY: "SERINUS_PAGERDUTY_ROUTING_KEY",
    EMAIL: "SERINUS_SMTP_URL",
    WEBHOOK: "SERINUS_WEBHOOK_URL",
    APPRISE: "SERINUS_APPRISE_URL",
    SENTRY: "SERINUS_SENTRY_DSN",
}
"""The setting that each channel begins with."""


def advice_for(plan: str, channels: Iterable[str], settings: Settings) -> str | None:
    """What to set so that the plan's channels lead somewhere; None when all of them do."""
    missing = sorted(set(channels) - addresses_of(settings).names - {LOG})
    if not missing:
        return None
    named = ", ".join(f"{name} (set {SETTINGS[name]})" for name in missing)
    return f"the plan {plan} tells on channels that are not configured here: {named}"


def _mailbox(settings: Settings) -> Mailbox | None:
    url = _revealed(settings.smtp_url)
    return Mailbox(url, settings.email_from or "", settings.recipients) if url else None


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
