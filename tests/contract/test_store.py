"""What every backend of the store does alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from control_room import PLAN
from serinus.analysis.analyze import analyze, start
from serinus.errors import Deposed, NotFound, Refused, StaleRevision
from serinus.rollout import commands
from serinus.rollout.commands import Order
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import AgentStatus, Decision, Phase, Rollout
from serinus.routing.split import Split
from serinus.storage.judgements import Judgement
from serinus.storage.splits import SplitSource
from serinus.storage.store import Store

Tell = Callable[[Callable[[Store], Awaitable[None]]], None]

HALF = Split(enabled=True, percentage=50.0)


def config_changed(at: float = 5.0, channels: tuple[str, ...] = ()) -> Event:
    return Event(EventKind.CONFIG_CHANGED, at, "ann", details={"canary_percentage": 50.0}, channels=channels)


def first_state(split_revision: int = 0, at: float = 10.0, name: str = "one") -> Decision:
    return commands.start(PLAN, Order("ann", at), id=name, previous=None, split_revision=split_revision)


def rolled_back(rollout: Rollout, at: float = 20.0) -> Decision:
    return commands.abort(rollout, Order("ann", at, "enough"))


def finished(rollout: Rollout, at: float = 30.0) -> Decision:
    event = Event(EventKind.ROLLBACK_COMPLETED, at, "serinus", rollout.id)
    return Decision(replace(rollout, phase=Phase.ROLLED_BACK, finished_at=at), (event,))


def test_a_store_begins_with_everybody_on_legacy(tell: Tell) -> None:
    async def story(store: Store) -> None:
        stored = await store.split()
        assert (stored.split, stored.changed_at, stored.settled) == (Split(), None, False)
        assert await store.latest_rollout() is None
        assert await store.events() == []

    tell(story)


def test_preparing_again_keeps_what_is_stored(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.save_manual_split(HALF, expected_revision=0, event=config_changed())
        before = await store.split()
        await store.prepare()
        assert await store.split() == before

    tell(story)


def test_a_manual_split_is_stored_under_the_next_revision_with_its_event(tell: Tell) -> None:
    async def story(store: Store) -> None:
        saved = await store.save_manual_split(HALF, expected_revision=0, event=config_changed())
        stored = await store.split()
        assert stored.split == saved.split == replace(HALF, revision=1)
        assert (stored.source, stored.changed_at, stored.changed_by) == (SplitSource.MANUAL, 5.0, "ann")
        assert [event.kind for event in await store.events()] == [EventKind.CONFIG_CHANGED]

    tell(story)


def test_a_manual_split_against_an_old_revision_changes_nothing(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.save_manual_split(HALF, expected_revision=0, event=config_changed())
        with pytest.raises(StaleRevision):
            await store.save_manual_split(Split(), expected_revision=0, event=config_changed())
        assert (await store.split()).split.percentage == 50.0
        assert len(await store.events()) == 1

    tell(story)


def test_a_manual_split_is_refused_while_a_rollout_runs(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.create_rollout(first_state())
        with pytest.raises(Refused, match="rollout"):
            await store.save_manual_split(HALF, expected_revision=1, event=config_changed())
        assert (await store.split()).source is SplitSource.ROLLOUT

    tell(story)


def test_a_rollout_comes_back_as_it_was_stored(tell: Tell) -> None:
    async def story(store: Store) -> None:
        decision = first_state()
        created = await store.create_rollout(decision)
        assert created == replace(decision.rollout, revision=1)
        assert await store.active_rollout() == await store.latest_rollout() == created
        stored = await store.split()
        assert (stored.split, stored.rollout_id) == (created.split, "one")

    tell(story)


def test_a_second_rollout_is_refused_while_one_is_active_and_leaves_no_trace(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.create_rollout(first_state())
        with pytest.raises(Refused):
            await store.create_rollout(first_state(split_revision=1, name="two"))
        assert [rollout.id for rollout in await store.rollouts()] == ["one"]
        assert len(await store.events()) == 1

    tell(story)


def test_a_rollout_that_was_decided_on_an_old_split_is_refused(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.save_manual_split(HALF, expected_revision=0, event=config_changed())
        with pytest.raises(StaleRevision):
            await store.create_rollout(first_state(split_revision=0))
        assert (await store.split()).source is SplitSource.MANUAL
        assert await store.latest_rollout() is None

    tell(story)


def test_a_rollout_that_is_over_makes_room_for_the_next_one(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        rollout = await store.save(rolled_back(rollout), expected_revision=1)
        await store.save(finished(rollout), expected_revision=2)
        assert await store.active_rollout() is None
        revision = (await store.split()).split.revision
        await store.create_rollout(first_state(revision, at=40.0, name="two"))
        assert [each.id for each in await store.rollouts()] == ["two", "one"]

    tell(story)


def test_a_decision_is_stored_with_its_split_events_and_judgement(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        evidence = start(PLAN.criteria, 10.0)
        judgement = Judgement(evidence, 7, analyze(evidence, PLAN.criteria, 20.0))
        saved = await store.save(rolled_back(rollout), expected_revision=1, judgement=judgement)
        assert saved.revision == 2
        assert saved == await store.active_rollout()
        assert (await store.split()).split == saved.split
        assert [event.kind for event in await store.events(after=1)] == [EventKind.ROLLBACK_STARTED]
        stored = await store.judgement("one")
        assert stored is not None
        assert (stored.cursor, stored.report) == (7, judgement.report)
        assert stored.evidence.to_json() == evidence.to_json()

    tell(story)


def test_a_decision_on_an_old_revision_stores_nothing_of_it(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        decision = rolled_back(rollout)
        await store.save(decision, expected_revision=1)
        before = (await store.active_rollout(), await store.split(), await store.events())
        with pytest.raises(StaleRevision):
            await store.save(decision, expected_revision=1)
        assert (await store.active_rollout(), await store.split(), await store.events()) == before

    tell(story)


def test_a_succeeded_rollout_leaves_a_split_that_needs_no_watcher(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        done = replace(rollout, phase=Phase.SUCCEEDED, split_revision=2, finished_at=30.0)
        await store.save(Decision(done, (Event(EventKind.SUCCEEDED, 30.0, "serinus", "one"),)), expected_revision=1)
        stored = await store.split()
        assert stored.settled
        assert stored.split.percentage == 100.0
        await store.save_manual_split(HALF, expected_revision=2, event=config_changed())
        assert not (await store.split()).settled

    tell(story)


def test_a_judgement_for_a_state_that_is_gone_is_refused(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        await store.save(rolled_back(rollout), expected_revision=1)
        evidence = start(PLAN.criteria, 10.0)
        with pytest.raises(StaleRevision):
            await store.save_judgement("one", Judgement(evidence, 7, analyze(evidence, PLAN.criteria, 20.0)), 1)
        assert await store.judgement("one") is None

    tell(story)


def test_a_tick_leaves_a_heartbeat_and_the_report_that_it_saw(tell: Tell) -> None:
    async def story(store: Store) -> None:
        assert await store.controller_heard_at() is None
        await store.create_rollout(first_state())
        report = analyze(start(PLAN.criteria, 10.0), PLAN.criteria, 20.0)
        await store.record_tick(20.0, "one", report)
        assert await store.controller_heard_at() == (await store.split()).controller_heard_at == 20.0
        assert await store.latest_report("one") == report

    tell(story)


def test_events_are_numbered_without_a_gap_in_the_order_of_storing(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed(5.0), config_changed(4.0)])
        await asyncio.gather(*(store.record_events([config_changed(float(at))]) for at in range(10)))
        assert [event.sequence for event in await store.events()] == list(range(1, 13))
        assert [event.at for event in await store.events(limit=2)] == [5.0, 4.0]

    tell(story)


def test_events_can_be_read_from_a_place_on_and_for_one_rollout(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed()])
        await store.create_rollout(first_state())
        assert [event.kind for event in await store.events(after=1)] == [EventKind.STARTED]
        assert [event.sequence for event in await store.events(rollout_id="one")] == [2]

    tell(story)


def test_an_event_comes_back_with_everything_in_it(tell: Tell) -> None:
    async def story(store: Store) -> None:
        details = {"figures": {"p95_ms": 980.5, "list": [1, None, True]}, "text": "한국어 <>& 🐤 \ud83d"}
        event = Event(EventKind.CHECKPOINT, 1 / 3, "민수", None, "why", details, "incident", ("slack",))
        await store.record_events([event])
        assert await store.events() == [replace(event, sequence=1)]

    tell(story)


def test_a_delivery_waits_on_every_channel_that_the_event_names(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed(5.0, ("log", "slack", "log"))])
        assert await store.due_channels(5.0) == {"log", "slack"}
        delivery = await store.claim_delivery("slack", 5.0, claim_seconds=60)
        assert delivery is not None
        assert (delivery.sequence, delivery.attempts) == (1, 1)
        await store.delivered(delivery, 6.0)
        assert await store.due_channels(1e9) == {"log"}

    tell(story)


def test_a_claimed_delivery_is_given_to_nobody_else_until_the_claim_lapses(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed(5.0, ("slack",))])
        claims = await asyncio.gather(*(store.claim_delivery("slack", 6.0, claim_seconds=60) for _ in range(5)))
        assert sum(claim is not None for claim in claims) == 1
        assert await store.claim_delivery("slack", 65.9, claim_seconds=60) is None
        again = await store.claim_delivery("slack", 66.0, claim_seconds=60)
        assert again is not None
        assert again.attempts == 2

    tell(story)


def test_later_alerts_wait_behind_one_that_has_to_be_tried_again(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed(5.0, ("slack",)), config_changed(6.0, ("slack",))])
        first = await store.claim_delivery("slack", 6.0, claim_seconds=60)
        assert first is not None
        await store.delivery_failed(first, 6.0, retry_at=8.0, error="no answer")
        assert await store.claim_delivery("slack", 7.0, claim_seconds=60) is None
        assert await store.due_channels(7.0) == set()
        again = await store.claim_delivery("slack", 8.0, claim_seconds=60)
        assert again is not None
        assert again.sequence == 1
        await store.delivery_failed(again, 8.0, retry_at=None, error="answered 404")
        following = await store.claim_delivery("slack", 8.0, claim_seconds=60)
        assert following is not None
        assert following.sequence == 2

    tell(story)


def test_a_lease_has_one_holder_until_it_lapses_or_is_given_back(tell: Tell) -> None:
    async def story(store: Store) -> None:
        assert await store.acquire_lease("a", 0.0, 5.0)
        assert not await store.acquire_lease("b", 4.9, 5.0)
        assert await store.acquire_lease("a", 4.9, 5.0)
        assert not await store.acquire_lease("b", 9.8, 5.0)
        assert await store.acquire_lease("b", 9.9, 5.0)
        await store.release_lease("a")
        assert not await store.acquire_lease("c", 10.0, 5.0)
        await store.release_lease("b")
        assert await store.acquire_lease("c", 10.0, 5.0)

    tell(story)


def test_many_that_reach_for_a_free_lease_get_it_once(tell: Tell) -> None:
    async def story(store: Store) -> None:
        taken = await asyncio.gather(*(store.acquire_lease(str(who), 0.0, 5.0) for who in range(8)))
        assert sum(taken) == 1

    tell(story)


def test_an_agent_is_in_the_fleet_while_it_was_heard_of_and_until_it_takes_leave(tell: Tell) -> None:
    async def story(store: Store) -> None:
        status = AgentStatus("a", heard_at=10.0, split_revision=3, last_canary_at=9.5, canary_in_flight=2, dropped=4)
        await store.append_snapshots([], replace(status, split_revision=2))
        await store.append_snapshots([], status)
        await store.append_snapshots([], AgentStatus("b", heard_at=5.0, split_revision=3))
        assert await store.fleet(heard_since=6.0) == (status,)
        assert [each.agent for each in await store.fleet(heard_since=0.0)] == ["a", "b"]
        await store.forget_agent("a")
        assert [each.agent for each in await store.fleet(heard_since=0.0)] == ["b"]

    tell(story)


def test_a_token_is_found_by_its_secret_alone_while_it_is_in_force(tell: Tell) -> None:
    async def story(store: Store) -> None:
        secret = await store.create_token("ci", "operator", 10.0, expires_at=20.0, by="ann")
        token = await store.token(secret, 19.9)
        assert token is not None
        assert (token.name, token.role, token.created_by) == ("ci", "operator", "ann")
        assert await store.token(secret, 20.0) is None
        assert await store.token(secret + "x", 11.0) is None
        assert await store.token("", 11.0) is None

    tell(story)


def test_a_revoked_token_opens_nothing_and_cannot_be_revoked_again(tell: Tell) -> None:
    async def story(store: Store) -> None:
        secret = await store.create_token("ci", "operator", 10.0)
        [token] = await store.tokens()
        await store.revoke_token(token.id, 11.0, by="ann")
        assert await store.token(secret, 12.0) is None
        with pytest.raises(NotFound):
            await store.revoke_token(token.id, 13.0)
        kinds = [(event.kind, event.actor) for event in await store.events()]
        assert kinds == [(EventKind.TOKEN_CREATED, "serinus"), (EventKind.TOKEN_REVOKED, "ann")]

    tell(story)


def test_no_event_and_no_token_row_holds_a_secret(tell: Tell) -> None:
    async def story(store: Store) -> None:
        secret = await store.create_token("ci", "admin", 10.0)
        assert secret not in repr(await store.events())
        assert secret not in repr(await store.tokens())

    tell(story)


def test_a_delivery_that_somebody_else_has_claimed_since_is_not_settled_by_who_had_it_before(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.record_events([config_changed(5.0, ("slack",))])
        slow = await store.claim_delivery("slack", 6.0, claim_seconds=60)
        heir = await store.claim_delivery("slack", 66.0, claim_seconds=60)
        assert slow is not None
        assert heir is not None
        await store.delivered(slow, 67.0)
        await store.delivery_failed(slow, 67.0, retry_at=0.0, error="no answer")
        assert await store.claim_delivery("slack", 68.0, claim_seconds=60) is None
        await store.delivered(heir, 69.0)
        assert await store.due_channels(1e9) == set()

    tell(story)


def test_who_has_lost_the_lease_stores_nothing_of_its_tick(tell: Tell) -> None:
    async def story(store: Store) -> None:
        rollout = await store.create_rollout(first_state())
        report = analyze(evidence := start(PLAN.criteria, 10.0), PLAN.criteria, 20.0)
        judgement = Judgement(evidence, 7, report)
        assert await store.acquire_lease("paused", 0.0, 5.0)
        assert await store.acquire_lease("heir", 5.0, 5.0)
        before = (await store.active_rollout(), await store.split(), await store.events())
        with pytest.raises(Deposed):
            await store.save(rolled_back(rollout), expected_revision=1, judgement=judgement, holder="paused")
        with pytest.raises(Deposed):
            await store.save_judgement("one", judgement, 1, holder="paused")
        with pytest.raises(Deposed):
            await store.record_tick(20.0, "one", report, holder="paused")
        assert (await store.active_rollout(), await store.split(), await store.events()) == before
        assert await store.controller_heard_at() is await store.latest_report("one") is await store.judgement("one")
        await store.save(rolled_back(rollout), expected_revision=1, judgement=judgement, holder="heir")

    tell(story)


def test_a_lease_from_before_the_clock_was_set_back_does_not_last_until_the_clock_gets_there(tell: Tell) -> None:
    async def story(store: Store) -> None:
        assert await store.acquire_lease("dead", 3_600.0, 5.0)
        assert await store.acquire_lease("heir", 0.0, 5.0)
        assert not await store.acquire_lease("other", 1.0, 5.0)

    tell(story)


def test_the_store_tells_the_time(tell: Tell) -> None:
    """To the tenth of a second by which processes may differ: this one and the database run on one machine here."""

    async def story(store: Store) -> None:
        before = time.time()
        async with store.database.read() as connection:
            now = (await connection.execute(select(store.database.now))).scalar_one()
        assert before - 0.1 <= now <= time.time() + 0.1

    tell(story)
