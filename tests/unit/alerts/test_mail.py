"""E-mail against a real SMTP server, with and without TLS."""

import asyncio
import ssl
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from serinus.alerts.addresses import Mailbox
from serinus.alerts.alert import Alert, Level
from serinus.alerts.delivery import NotDelivered
from serinus.alerts.mail import Mail, message_of

ALERT = Alert(
    event=12,
    at=1_750_000_000.25,
    level=Level.CRITICAL,
    title="The canary <b>fails</b>",
    text="37 errors\r\nBcc: everybody@example.org",
    dedup_key="error_rate@5",
    resolved=False,
    rollout_id="r1",
    details={},
    link="https://shop.example/console",
)


class Inbox:
    """Takes what comes, or answers with `refusal`."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        self.envelopes.append(envelope)
        return self.refusal or "250 taken"

    def last(self) -> EmailMessage:
        content = self.envelopes[-1].content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


def send(inbox: Inbox, url: str, alert: Alert = ALERT, **options: Any) -> None:
    """To a server with `inbox`, whose port takes the place of PORT in `url`."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(inbox, hostname="localhost", loop=loop, **options), "127.0.0.1", 0
        )
        async with server:
            address = url.replace("PORT", str(server.sockets[0].getsockname()[1]))
            recipients = ("ann@shop.example", "bob@shop.example")
            await Mail(Mailbox(address, "serinus@shop.example", recipients))(alert)

    asyncio.run(story())


def test_all_recipients_get_one_mail_in_text_and_in_html() -> None:
    inbox = Inbox()
    send(inbox, "smtp://127.0.0.1:PORT")
    [envelope] = inbox.envelopes
    assert envelope.rcpt_tos == ["ann@shop.example", "bob@shop.example"]
    text, html = (inbox.last().get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "37 errors" in text.get_content()
    assert "https://shop.example/console" in text.get_content()
    assert "The canary &lt;b&gt;fails&lt;/b&gt;" in html.get_content()


def test_what_people_write_becomes_no_header() -> None:
    message = message_of(ALERT, Mailbox("smtp://x", "serinus@shop.example", ("ann@shop.example",)))
    assert message["Bcc"] is None
    assert "everybody@example.org" in message["Subject"]


def test_mails_of_one_incident_are_one_conversation() -> None:
    mailbox = Mailbox("smtp://x", "serinus@shop.example", ("ann@shop.example",))
    first, second = (message_of(each, mailbox) for each in (ALERT, replace(ALERT, event=13, resolved=True)))
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Subject"].startswith("✅")


@pytest.mark.parametrize(("refusal", "final"), [("550 no such user", True), ("451 try later", False)])
def test_the_servers_refusal_says_whether_another_try_makes_sense(refusal: str, final: bool) -> None:
    with pytest.raises(NotDelivered, match=refusal[:3]) as caught:
        send(Inbox(refusal), "smtp://127.0.0.1:PORT")
    assert caught.value.final is final


def test_a_server_that_is_not_there_may_come_back() -> None:
    with pytest.raises(NotDelivered, match="cannot be used") as caught:
        send(Inbox(), "smtp://127.0.0.1:1")
    assert not caught.value.final


def authenticator(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object) -> AuthResult:
    assert isinstance(login, LoginPassword)
    return AuthResult(success=login == LoginPassword(b"ann", b"open sesame"))


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    """An authority that this process trusts, as an operating system's setting would say."""
    authority = trustme.CA()
    bundle = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return authority


def context_of(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_a_password_travels_only_after_starttls(authority: trustme.CA) -> None:
    inbox = Inbox()
    options = {"require_starttls": True, "tls_context": context_of(authority), "authenticator": authenticator}
    send(inbox, "smtp://ann:open%20sesame@localhost:PORT", **options)
    assert len(inbox.envelopes) == 1


def test_a_server_without_starttls_is_not_told_the_password() -> None:
    inbox = Inbox()
    with pytest.raises(NotDelivered, match="cannot be used"):
        send(inbox, "smtp://ann:secret@127.0.0.1:PORT", authenticator=authenticator, auth_require_tls=False)
    assert inbox.envelopes == []


def test_a_server_whose_certificate_nobody_vouches_for_is_refused() -> None:
    inbox = Inbox()
    with pytest.raises(NotDelivered, match="cannot be used"):
        send(inbox, "smtp://ann:secret@localhost:PORT", tls_context=context_of(trustme.CA()))
    assert inbox.envelopes == []
