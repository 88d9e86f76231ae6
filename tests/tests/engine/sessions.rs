//! Clients that ask a Node, hear nothing, and ask again.

use std::collections::BTreeMap;

use samsara_runtime::{
    config::{NodeConfig, SessionConfig},
    event::IngressEvent,
    framework::{ClientId, SessionError},
    graph::Graph,
    id::Incarnation,
    node::{Batch, Node, Wakeup},
    rng::Rng,
    step::{EngineStep, SessionOutcome, SessionReply, Unanswered},
    time::{Nanos, seconds},
    value::Value,
};

use super::parts::{completion, node, node_with, outputs};

const CLIENT: ClientId = ClientId([1; 16]);
const OTHER: ClientId = ClientId([2; 16]);

fn adds(g: &Graph) {
    g.output("total", g.slot("parts").op("add", [g.input::<u64>("n")]));
}

fn ask(node: &mut Node, client: ClientId, request: u64, n: u64) -> Vec<EngineStep> {
    node.invoke_as(client, request, "Main", [("n", n)]).expect("it is admitted");
    node.run_until_idle(Nanos::ZERO).0
}

/// What is told of requests.
fn told(steps: &[EngineStep]) -> Vec<(u64, Result<&SessionReply, Unanswered>)> {
    let told = steps.iter().filter_map(|step| match step {
        EngineStep::Answered { request, reply, .. } => Some((*request, Ok(&**reply))),
        EngineStep::Unanswered { request, reason, .. } => Some((*request, Err(*reason))),
        _ => None,
    });
    told.collect()
}

fn values(reply: &SessionReply) -> Vec<(&str, Value)> {
    reply.outputs.iter().map(|(port, value)| (&**port, value.clone())).collect()
}

#[test]
fn a_repeated_request_is_answered_as_the_first_time_and_begins_nothing() {
    let mut node = node(adds);
    let first = ask(&mut node, CLIENT, 1, 5);
    assert_eq!(outputs(&first), [("total", Value::U64(5))]);
    let [(1, Ok(reply))] = told(&first)[..] else { panic!("{first:?}") };
    assert_eq!(values(reply), [("total", Value::U64(5))]);
    assert_eq!(reply.outcome, SessionOutcome::Done);

    let again = ask(&mut node, CLIENT, 1, 100);
    assert_eq!((told(&again), again.len()), (vec![(1, Ok(reply))], 1));
    let other = ask(&mut node, OTHER, 1, 1);
    assert_eq!(outputs(&other), [("total", Value::U64(6))], "the number is its client's own");
}

#[test]
fn a_request_under_way_is_joined_and_answered_when_it_ends() {
    let mut node = node(|g| g.output("out", g.slot("parts").op("later", [g.input::<u64>("n")])));
    assert_eq!(told(&ask(&mut node, CLIENT, 1, 71_001)), []);
    let again = ask(&mut node, CLIENT, 1, 71_001);
    assert_eq!(told(&again), [(1, Err(Unanswered::UnderWay))]);
    let snapshot = node.snapshot().expect("it can be written");
    completion(71_001).complete(7).expect("its place is kept");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    let [(1, Ok(reply))] = told(&steps)[..] else { panic!("{steps:?}") };
    assert_eq!(values(reply), [("out", Value::U64(7))]);

    // The next life has lost the answer, and that is what the client is told, once and for all.
    node.restore(&snapshot).expect("it is of this Node");
    node.begin_life(Incarnation::new(9), None).expect("it is higher");
    let steps = node.run_until_idle(Nanos::ZERO).0;
    let [(1, Ok(reply))] = told(&steps)[..] else { panic!("{steps:?}") };
    assert!(matches!(&reply.outcome, SessionOutcome::Failed(_)), "{reply:?}");
    assert_eq!(told(&ask(&mut node, CLIENT, 1, 0)), [(1, Ok(reply))]);
}

#[test]
fn a_failure_is_an_answer_and_so_is_a_clear() {
    let mut failing = node(|g| g.output("out", g.slot("parts").op("even", [g.input::<u64>("n")])));
    let steps = ask(&mut failing, CLIENT, 1, 3);
    let [(1, Ok(reply))] = told(&steps)[..] else { panic!("{steps:?}") };
    let SessionOutcome::Failed(error) = &reply.outcome else { panic!("{reply:?}") };
    assert_eq!((error.reason(), &reply.outputs[..]), ("3 is odd", &[][..]));
    assert_eq!(told(&ask(&mut failing, CLIENT, 1, 2)), [(1, Ok(reply))], "though it would do now");

    let mut waits = node(|g| g.output("out", g.slot("parts").op("later", [g.input::<u64>("n")])));
    ask(&mut waits, CLIENT, 1, 71_002);
    waits.invoke_as(CLIENT, 2, "Main", [("n", 71_003_u64)]).expect("it is admitted");
    waits.clear();
    let steps = waits.run_until_idle(Nanos::ZERO).0;
    let [(1, Ok(reply))] = told(&steps)[..] else { panic!("{steps:?}") };
    assert_eq!(reply.outcome, SessionOutcome::Cancelled);
    assert_eq!(told(&ask(&mut waits, CLIENT, 2, 71_004)), [], "it had not begun, and does now");
    drop((completion(71_002), completion(71_004)));
}

#[test]
fn what_is_not_remembered_is_refused_and_never_carried_out_again() {
    let sessions = SessionConfig {
        max_clients: 2,
        max_requests_per_client: 2,
        client_idle: seconds(10),
        ..SessionConfig::default()
    };
    let config = NodeConfig { sessions, ..NodeConfig::default() };
    let mut node = node_with(config, adds);
    let refused = |error: SessionError| Err(Unanswered::Refused(error));
    assert_eq!(told(&ask(&mut node, CLIENT, 7, 1)), [(7, refused(SessionError::Forgotten))]);
    for request in 1..=3 {
        assert_eq!(outputs(&ask(&mut node, CLIENT, request, 1)).len(), 1);
    }
    let too_old = SessionError::TooOld { request: 1, oldest: 2 };
    assert_eq!(told(&ask(&mut node, CLIENT, 1, 1)), [(1, refused(too_old))]);
    ask(&mut node, OTHER, 1, 1);
    let third = ask(&mut node, ClientId([3; 16]), 1, 1);
    let [(1, Err(Unanswered::Refused(SessionError::Full(full))))] = told(&third)[..] else {
        panic!("{third:?}")
    };
    assert_eq!((full.what, full.cap), ("clients", 2));
    assert_eq!(outputs(&ask(&mut node, OTHER, 2, 0)), [("total", Value::U64(4))]);
}

#[test]
fn an_answer_over_the_budget_is_told_as_gone_and_the_one_before_makes_room() {
    let sessions = SessionConfig { reply_bytes: 400, ..SessionConfig::default() };
    let config = NodeConfig { sessions, ..NodeConfig::default() };
    let mut node = node_with(config, |g| g.output("said", g.input::<String>("text")));
    let mut ask = |request: u64, len: usize| {
        let text = "x".repeat(len);
        node.invoke_as(CLIENT, request, "Main", [("text", text)]).expect("it is admitted");
        let steps = node.run_until_idle(Nanos::ZERO).0;
        let told: Vec<_> = told(&steps).into_iter().map(|(_, told)| told.map(|_| ())).collect();
        told
    };
    assert_eq!(ask(1, 10), [Ok(())]);
    assert_eq!(ask(2, 1_000), [Err(Unanswered::Gone)], "it is more than may ever be kept");
    assert_eq!(ask(1, 10), [Ok(())]);
    assert_eq!(ask(3, 10), [Ok(())], "it is told, and keeps the first from being so again");
    assert_eq!(ask(1, 10), [Err(Unanswered::Gone)]);
    assert_eq!(ask(2, 10), [Err(Unanswered::Gone)]);
}

/// A Node, its journal, and the client's memory of it.
struct Story {
    node: Node,
    life: u64,
    journal: Vec<(Batch, Vec<EngineStep>)>,
    snapshot: Option<(usize, samsara_runtime::snapshot::NodeSnapshot)>,
    replies: BTreeMap<u64, SessionReply>,
    executed: u64,
    answered: u64,
    joined: u64,
    refused: u64,
}

impl Story {
    fn run(&mut self) {
        while self.node.next_wakeup() == Wakeup::Now {
            let batch = self.node.intake(Nanos::ZERO);
            let mut steps = Vec::new();
            self.node.apply(&batch, &mut steps);
            self.executed += outputs(&steps).len() as u64;
            for (request, told) in told(&steps) {
                match told {
                    Ok(reply) => {
                        self.answered += 1;
                        let first = self.replies.entry(request).or_insert_with(|| reply.clone());
                        assert_eq!(first, reply, "request {request}");
                    }
                    // Its answer comes at the end of this turn.
                    Err(Unanswered::UnderWay) => self.joined += 1,
                    Err(Unanswered::Refused(SessionError::TooOld { .. })) => self.refused += 1,
                    Err(other) => panic!("request {request}: {other}"),
                }
            }
            self.journal.push((batch, steps));
        }
    }

    /// The process falls; another one restores and replays.
    fn fall(&mut self) {
        self.node = node(adds);
        let mut from = 0;
        if let Some((at, snapshot)) = &self.snapshot {
            self.node.restore(snapshot).expect("it is of this Node");
            from = *at;
        }
        for (batch, before) in &self.journal[from..] {
            let mut steps = Vec::new();
            self.node.replay(batch, &mut steps);
            assert_eq!(steps, *before, "a replay gives what was given");
        }
        self.life = self.life.max(self.node.incarnation().get()) + 1;
        self.node.begin_life(Incarnation::new(self.life), None).expect("it is higher");
    }
}

/// D37: 10,000 retries with lost acknowledgements get the first reply, and none is carried out.
#[test]
fn ten_thousand_retries_over_crashes_get_the_first_reply_and_execute_nothing() {
    let mut rng = Rng::from_seed(37);
    let mut story = Story {
        node: node(adds),
        life: 0,
        journal: Vec::new(),
        snapshot: None,
        replies: BTreeMap::new(),
        executed: 0,
        answered: 0,
        joined: 0,
        refused: 0,
    };
    let (mut last, mut retries, mut falls) = (0, 0, 0);
    while retries < 10_000 {
        if last == 0 || rng.chance(1, 8) {
            last += 1;
            story.node.invoke_as(CLIENT, last, "Main", [("n", last)]).expect("it is admitted");
        }
        for _ in 0..rng.below(20) {
            retries += 1;
            // Now and then one that was forgotten.
            let request = last.saturating_sub(rng.below(70)).max(1);
            story.node.invoke_as(CLIENT, request, "Main", [("n", 1_u64)]).expect("it is admitted");
        }
        story.run();
        match rng.below(40) {
            0 => {
                falls += 1;
                story.fall();
            }
            1 => {
                let snapshot = story.node.snapshot().expect("it can be written");
                story.snapshot = Some((story.journal.len(), snapshot));
            }
            _ => {}
        }
    }
    story.fall();
    story.run();
    assert_eq!((story.executed, story.replies.len() as u64), (last, last), "each once");
    assert!(falls > 10 && story.refused > 0 && last > 70, "{falls} {} {last}", story.refused);
    let Story { answered, joined, refused, .. } = story;
    assert_eq!(answered + joined + refused, last + retries, "each was told");
    let sum: u64 = (1..=last).sum();
    let total = story.replies.get(&last).map(values);
    assert_eq!(total, Some(vec![("total", Value::U64(sum))]));
}

#[test]
fn a_request_that_was_given_up_is_offered_again_as_what_it_was() {
    let mut node = node(adds);
    node.invoke_as(CLIENT, 1, "Main", [("n", 5_u64)]).expect("it is admitted");
    let batch = node.intake(Nanos::ZERO);
    let asked = batch.events.into_iter().map(|admitted| admitted.event);
    let asked = asked.filter(|event| matches!(event, IngressEvent::InvokeAs(_))).last();
    let asked = asked.expect("it is in the batch");
    for _ in 0..2 {
        node.offer_again(asked.clone()).expect("it came from this host");
        let steps = node.run_until_idle(Nanos::ZERO).0;
        let [(1, Ok(reply))] = told(&steps)[..] else { panic!("{steps:?}") };
        assert_eq!(values(reply), [("total", Value::U64(5))], "it was carried out once");
    }
}
