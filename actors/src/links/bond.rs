//! What stands between this host and one other: who dials, when again, and which session counts.
//!
//! Law: at most one session counts on either side, and it is the same one. Where both dial at once
//! that of the smaller id goes on. A newer session takes the place of an older one only when who
//! dialled it has said so, since nobody else knows whether it was not given up.

use samsara_proto::PeerId;
use samsara_runtime::{rng::Rng, time::Nanos};

use super::config::LinkConfig;

/// A pair of links, control and bulk, as who dialled it has called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) u64);

/// See the module.
#[derive(Debug)]
pub(crate) struct Bond {
    /// Whether this host's id is the smaller one.
    is_first: bool,
    /// Whether it is known where the other one is.
    pub(crate) may_dial: bool,
    stage: Stage,
    /// A session that the other one has dialled and not yet confirmed.
    guest: Option<SessionId>,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Apart { until: Nanos },
    Dialling(SessionId),
    Together(SessionId),
}

impl Bond {
    pub(crate) fn new(here: &PeerId, there: &PeerId, may_dial: bool) -> Self {
        let stage = Stage::Apart { until: Nanos::ZERO };
        Self { is_first: here < there, may_dial, stage, guest: None, failures: 0 }
    }

    /// The session to dial now, if one is due.
    pub(crate) fn dial(&mut self, now: Nanos, rng: &mut Rng) -> Option<SessionId> {
        match self.stage {
            Stage::Apart { until } if self.may_dial && until <= now && self.guest.is_none() => {
                let session = SessionId(rng.next_u64());
                self.stage = Stage::Dialling(session);
                Some(session)
            }
            Stage::Apart { .. } | Stage::Dialling(_) | Stage::Together(_) => None,
        }
    }

    /// When it is to be looked at again though nothing happens.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        match self.stage {
            Stage::Apart { until } if self.may_dial && self.guest.is_none() => Some(until),
            Stage::Apart { .. } | Stage::Dialling(_) | Stage::Together(_) => None,
        }
    }

    /// The other one greets with a session that it has dialled: whether it is greeted back.
    pub(crate) fn greeted(&mut self, session: SessionId, now: Nanos) -> bool {
        if let Stage::Dialling(_) = self.stage {
            if self.is_first {
                return false;
            }
            self.stage = Stage::Apart { until: now };
        }
        self.guest = Some(session);
        true
    }

    /// The other one has confirmed its session: whether it counts now.
    pub(crate) fn confirmed(&mut self, session: SessionId) -> bool {
        if self.guest != Some(session) {
            return false;
        }
        self.guest = None;
        self.unite(session);
        true
    }

    /// The other one has greeted back: whether the session that was dialled here counts now.
    pub(crate) fn answered(&mut self, session: SessionId) -> bool {
        let is_wanted = self.stage == Stage::Dialling(session);
        if is_wanted {
            self.unite(session);
        }
        is_wanted
    }

    fn unite(&mut self, session: SessionId) {
        self.stage = Stage::Together(session);
        self.failures = 0;
    }

    /// A session has ended, or never came to be.
    pub(crate) fn lost(
        &mut self,
        session: SessionId,
        now: Nanos,
        config: &LinkConfig,
        rng: &mut Rng,
    ) {
        if self.guest == Some(session) {
            self.guest = None;
        }
        if matches!(self.stage, Stage::Dialling(own) | Stage::Together(own) if own == session) {
            let pause = pause(self.failures, config, rng);
            self.failures = self.failures.saturating_add(1);
            self.stage = Stage::Apart { until: now + pause };
        }
    }

    /// The session that counts.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.stage {
            Stage::Together(session) => Some(session),
            Stage::Apart { .. } | Stage::Dialling(_) => None,
        }
    }
}

/// Twice as long after each failure, anywhere in the upper half of it, so that many hosts that have
/// lost one do not come back to it at once.
fn pause(failures: u32, config: &LinkConfig, rng: &mut Rng) -> Nanos {
    let doubled = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
    let whole = config.dial_base.get().saturating_mul(doubled);
    let whole = whole.min(config.dial_cap.get().max(config.dial_base.get()));
    Nanos::new(rng.between(whole / 2..=whole))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use samsara_runtime::time::seconds;

    use super::*;

    const A: SessionId = SessionId(1);
    const B: SessionId = SessionId(2);

    fn bonds() -> [Bond; 2] {
        let (one, two) = (PeerId::from(1), PeerId::from(2));
        [Bond::new(&one, &two, true), Bond::new(&two, &one, true)]
    }

    #[test]
    fn pauses_grow_to_their_cap_and_a_session_ends_the_row() {
        let (config, mut rng) = (LinkConfig::default(), Rng::from_seed(1));
        let [mut bond, _] = bonds();
        let mut now = Nanos::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..70 {
            let session = bond.dial(now, &mut rng).expect("it is due");
            assert_eq!(bond.dial(now, &mut rng), None, "one at a time");
            bond.lost(session, now, &config, &mut rng);
            let due = bond.next_due().expect("again");
            pauses.push(due - now);
            now = due;
        }
        assert!(pauses[0] <= config.dial_base && pauses[0] >= Nanos::new(50_000_000));
        assert!(pauses.iter().all(|pause| *pause <= config.dial_cap));
        assert!(pauses[69] >= seconds(15), "{}", pauses[69]);
        let session = bond.dial(now, &mut rng).expect("it is due");
        assert!(bond.answered(session));
        bond.lost(session, now, &config, &mut rng);
        assert!(bond.next_due().expect("again") - now <= config.dial_base);
    }

    #[test]
    fn a_session_that_was_given_up_does_not_push_out_the_one_that_counts() {
        let [mut first, _] = bonds();
        assert!(first.greeted(B, Nanos::ZERO), "nothing is under way");
        assert!(first.confirmed(B));
        assert!(first.greeted(A, Nanos::ZERO));
        assert_eq!(first.session(), Some(B), "nobody has confirmed the other");
        assert!(first.confirmed(A));
        assert_eq!(first.session(), Some(A));
        assert!(!first.confirmed(B));
    }

    #[test]
    fn of_two_sessions_that_cross_that_of_the_smaller_id_goes_on() {
        let [mut first, mut second] = bonds();
        let mut rng = Rng::from_seed(1);
        let own = first.dial(Nanos::ZERO, &mut rng).expect("it is due");
        let other = second.dial(Nanos::ZERO, &mut rng).expect("it is due");
        assert!(!first.greeted(other, Nanos::ZERO), "its own goes on");
        assert!(second.greeted(own, Nanos::ZERO), "it gives its own up");
        assert!(!second.answered(other));
        assert!(first.answered(own) && second.confirmed(own));
        assert_eq!((first.session(), second.session()), (Some(own), Some(own)));
    }

    #[test]
    fn who_cannot_dial_waits_to_be_dialled() {
        let mut bond = Bond::new(&PeerId::from(1), &PeerId::from(2), false);
        assert_eq!((bond.dial(seconds(9), &mut Rng::from_seed(1)), bond.next_due()), (None, None));
        assert!(bond.greeted(A, Nanos::ZERO) && bond.confirmed(A));
    }

    /// What is under way from one of two to the other.
    #[derive(Clone, Copy, Debug)]
    enum Word {
        Hello(SessionId),
        Answer(SessionId),
        Go(SessionId),
        Closed(SessionId),
    }

    /// Two hosts that dial each other; words arrive in their order in each session, and sessions
    /// overtake each other as the seed has it.
    fn meet(seed: u64) -> [Option<SessionId>; 2] {
        let (config, mut rng) = (LinkConfig::default(), Rng::from_seed(seed));
        let mut bonds = bonds();
        let mut now = Nanos::ZERO;
        let mut lines: Vec<(SessionId, usize, VecDeque<Word>)> = Vec::new();
        for _ in 0..400 {
            now = now + Nanos::from_millis(rng.below(20));
            let who = rng.below(2) as usize;
            if rng.chance(1, 3)
                && let Some(session) = bonds[who].dial(now, &mut rng)
            {
                lines.push((session, 1 - who, VecDeque::from([Word::Hello(session)])));
                lines.push((session, who, VecDeque::new()));
            }
            let busy: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].2.is_empty()).collect();
            let Some(at) = rng.pick(&busy).copied() else { continue };
            let Some(word) = lines[at].2.pop_front() else { continue };
            let to = lines[at].1;
            let back = match word {
                Word::Hello(id) if bonds[to].greeted(id, now) => Word::Answer(id),
                Word::Hello(id) => Word::Closed(id),
                Word::Answer(id) if bonds[to].answered(id) => Word::Go(id),
                Word::Answer(id) => Word::Closed(id),
                Word::Go(id) => {
                    if bonds[to].confirmed(id) {
                        continue;
                    }
                    Word::Closed(id)
                }
                Word::Closed(id) => {
                    bonds[to].lost(id, now, &config, &mut rng);
                    continue;
                }
            };
            let session = lines[at].0;
            for (other, whom, words) in &mut lines {
                if *other == session && *whom != to {
                    words.push_back(back);
                }
            }
        }
        bonds.map(|bond| bond.session())
    }

    #[test]
    fn two_that_dial_each_other_at_once_agree_on_one_session() {
        for seed in 0..2_000 {
            let [one, two] = meet(seed);
            assert!(one.is_some() && one == two, "seed {seed}: {one:?} and {two:?}");
        }
    }
}
