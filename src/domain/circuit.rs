//! Whether a server is worth asking: a circuit that opens when it fails again and again, and closes
//! by one request that goes well.

use std::time::Duration;

use jiff::Timestamp;

use super::schedule::{earlier, later};

/// How many requests in a row must fail before nothing more is sent. One broken connection is none
/// of the server's fault, and one grant that the server cannot cope with must not stop the others.
const FAILURES: u32 = 5;

/// What an answer, or none, says of the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// It answered in its own protocol: it is there, whatever it said.
    Sound,
    /// It did not answer, or answered that it fails.
    Failing,
    /// Neither: it asked to be asked later, somebody else answered, or nothing was sent.
    Unclear,
}

/// What a request is to the circuit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passage {
    /// One of many.
    Usual,
    /// The one that tells whether the server is back.
    Probe,
}

/// How long an open circuit waits before its probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waits {
    /// The first time.
    pub first: Duration,
    /// At most, after doubling.
    pub longest: Duration,
}

/// The circuit to one server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Circuit {
    /// Everything is sent.
    Closed {
        /// How many failed in a row.
        failed: u32,
    },
    /// Nothing is sent until the wait is over.
    Open {
        /// Since when.
        since: Timestamp,
        /// For how long.
        wait: Duration,
    },
    /// One request is on its way, and nothing else is sent.
    Probing {
        /// How long was waited before it.
        wait: Duration,
    },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { failed: 0 }
    }
}

impl Circuit {
    /// As what a request may be sent at `now`, if at all.
    pub fn admits(&self, now: Timestamp) -> Option<Passage> {
        match self {
            Self::Closed { .. } => Some(Passage::Usual),
            Self::Open { since, wait } => (later(*since, *wait) <= now).then_some(Passage::Probe),
            Self::Probing { .. } => None,
        }
    }

    /// When it is worth asking again; `None` where it may be asked now, or a probe will tell.
    pub fn opens_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { since, wait } => Some(later(*since, *wait)),
            Self::Closed { .. } | Self::Probing { .. } => None,
        }
    }

    /// After a request was sent as `passage`.
    pub fn sent(self, passage: Passage) -> Self {
        match (self, passage) {
            (Self::Open { wait, .. }, Passage::Probe) => Self::Probing { wait },
            (circuit, _) => circuit,
        }
    }

    /// After what was sent as `passage` has ended.
    pub fn heard(self, passage: Passage, health: Health, now: Timestamp, waits: Waits) -> Self {
        let open = |wait: Duration| Self::Open {
            since: now,
            wait: wait.min(waits.longest),
        };
        match (self, passage, health) {
            // Also one that was sent before it opened: the server is there.
            (_, _, Health::Sound) => Self::default(),
            (Self::Closed { failed }, _, Health::Failing) if failed + 1 >= FAILURES => {
                open(waits.first)
            }
            (Self::Closed { failed }, _, Health::Failing) => Self::Closed { failed: failed + 1 },
            (Self::Probing { wait }, Passage::Probe, _) => open(wait.saturating_mul(2)),
            // What was sent before it opened says nothing new.
            (circuit, _, _) => circuit,
        }
    }

    /// After what was sent as `passage` was given up before its end, which says nothing: the next
    /// one may try.
    pub fn given_up(self, passage: Passage, now: Timestamp) -> Self {
        match (self, passage) {
            (Self::Probing { wait }, Passage::Probe) => Self::Open {
                since: earlier(now, wait),
                wait,
            },
            (circuit, _) => circuit,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const WAITS: Waits = Waits {
        first: Duration::from_secs(5),
        longest: Duration::from_secs(60),
    };

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// What may happen next, in a world where up to two requests are under way.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Send,
        Ends(usize, Health),
        GivenUp(usize),
        Pass(i64),
    }

    const EVENTS: [Event; 11] = [
        Event::Send,
        Event::Ends(0, Health::Sound),
        Event::Ends(0, Health::Failing),
        Event::Ends(0, Health::Unclear),
        Event::Ends(1, Health::Sound),
        Event::Ends(1, Health::Failing),
        Event::Ends(1, Health::Unclear),
        Event::GivenUp(0),
        Event::GivenUp(1),
        Event::Pass(4),
        Event::Pass(60),
    ];

    #[derive(Clone)]
    struct World {
        circuit: Circuit,
        now: i64,
        on_way: Vec<Passage>,
    }

    impl World {
        fn after(&self, event: Event) -> Option<Self> {
            let mut next = self.clone();
            match event {
                Event::Send => {
                    let passage = self.circuit.admits(time(self.now))?;
                    if self.on_way.len() == 2 {
                        return None;
                    }
                    next.circuit = self.circuit.sent(passage);
                    next.on_way.push(passage);
                }
                Event::Ends(nth, health) => {
                    let passage = (nth < self.on_way.len()).then(|| next.on_way.remove(nth))?;
                    next.circuit = self.circuit.heard(passage, health, time(self.now), WAITS);
                    next.check(self, passage, health);
                }
                Event::GivenUp(nth) => {
                    let passage = (nth < self.on_way.len()).then(|| next.on_way.remove(nth))?;
                    next.circuit = self.circuit.given_up(passage, time(self.now));
                }
                Event::Pass(seconds) => next.now += seconds,
            }
            Some(next)
        }

        fn check(&self, before: &Self, passage: Passage, health: Health) {
            match health {
                Health::Sound => assert_eq!(self.circuit, Circuit::default()),
                Health::Unclear if passage == Passage::Usual => {
                    assert_eq!(self.circuit, before.circuit, "only failures open it");
                }
                _ => {}
            }
        }

        fn name(&self) -> String {
            let (circuit, now) = (self.circuit, self.now);
            let circuit = match circuit {
                Circuit::Open { since, wait } => {
                    format!("open {:?}", later(since, wait) - time(now))
                }
                other => format!("{other:?}"),
            };
            format!("{circuit} {:?}", self.on_way)
        }
    }

    #[test]
    fn every_order_of_what_may_happen() {
        let start = World {
            circuit: Circuit::default(),
            now: 0,
            on_way: Vec::new(),
        };
        let (mut seen, mut open, mut worlds) = (BTreeSet::new(), 0, vec![start]);
        while let Some(world) = worlds.pop() {
            if world.now > 400 || !seen.insert(world.name()) {
                continue;
            }
            let probes = world
                .on_way
                .iter()
                .filter(|p| **p == Passage::Probe)
                .count();
            assert!(probes <= 1, "{}", world.name());
            match world.circuit {
                Circuit::Probing { wait } => {
                    assert_eq!(probes, 1, "nothing would ever end it");
                    assert!(wait <= WAITS.longest);
                    assert_eq!(world.circuit.admits(time(world.now)), None);
                }
                Circuit::Open { wait, .. } => {
                    open += 1;
                    assert!(wait <= WAITS.longest);
                    let later = time(world.now) + WAITS.longest;
                    assert_eq!(world.circuit.admits(later), Some(Passage::Probe));
                }
                Circuit::Closed { failed } => assert!(failed < FAILURES),
            }
            worlds.extend(EVENTS.into_iter().filter_map(|event| world.after(event)));
        }
        assert!(open > 20 && seen.len() > 100, "{open} of {}", seen.len());
    }

    #[test]
    fn it_opens_after_five_in_a_row_and_waits_longer_each_time() {
        let mut circuit = Circuit::default();
        let fail = |circuit: Circuit, now| {
            let passage = circuit.admits(time(now)).unwrap();
            circuit
                .sent(passage)
                .heard(passage, Health::Failing, time(now), WAITS)
        };
        for _ in 0..4 {
            circuit = fail(circuit, 0);
        }
        let well = circuit.heard(Passage::Usual, Health::Sound, time(0), WAITS);
        assert_eq!(well, Circuit::default(), "one that goes well forgives all");
        circuit = fail(circuit, 0);
        let mut now = 0;
        for wait in [5, 10, 20, 40, 60, 60] {
            assert_eq!(circuit.opens_at(), Some(time(now + wait)));
            assert_eq!(circuit.admits(time(now + wait - 1)), None);
            now += wait;
            circuit = fail(circuit, now);
        }
        let probe = circuit.admits(time(now + 60)).unwrap();
        circuit = circuit
            .sent(probe)
            .heard(probe, Health::Sound, time(now + 60), WAITS);
        assert_eq!(circuit, Circuit::default());
    }
}
