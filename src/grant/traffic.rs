use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::domain::circuit::{Circuit, Health, Passage, Waits};
use crate::domain::line::{Line, Rules};
use crate::domain::schedule::later;
use crate::google::{OAuthError, Trouble};

/// How many lanes are kept before those that nobody has used for a while go.
const LANES: usize = 256;
/// A lane that nobody has used for so long is forgotten: longer than any pause.
const UNUSED: Duration = Duration::from_secs(2 * 3600);

/// What is sent to OAuth servers, kept within bounds: for each server and client there is a line, a
/// circuit, and the pause that the server asked for.
///
/// Own code: the crate `failsafe` lets everybody through at once when a circuit is tried again, and
/// `governor` tells everybody who comes too early the same time to come again.
#[derive(Clone)]
pub struct Traffic {
    lanes: Arc<Mutex<HashMap<LaneName, Lane>>>,
    rules: TrafficRules,
}

/// How much may be sent.
#[derive(Clone, Copy, Debug)]
pub struct TrafficRules {
    /// How fast renewals of one OAuth client go.
    pub line: Rules,
    /// How long a server that fails is left alone.
    pub waits: Waits,
}

/// Whose requests share a line and a circuit.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct LaneName {
    /// Where the OAuth server takes tokens.
    pub token_endpoint: Url,
    /// The OAuth client's ID.
    pub client_id: String,
    /// A digest of what the profile trusts: a certificate that another profile does not trust must
    /// not stop this one.
    pub trust: String,
}

struct Lane {
    line: Line,
    circuit: Circuit,
    /// The server asked for nothing to be sent before this.
    pause: Option<Timestamp>,
    /// Why the last request that failed did.
    trouble: Option<(Trouble, String)>,
    used: Timestamp,
}

/// Why something is not sent now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeldBack {
    /// Others come first.
    Line,
    /// The server fails.
    Circuit,
    /// The server asked for a pause.
    Pause,
}

/// Not now, but then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotYet {
    /// When to come again.
    pub until: Timestamp,
    /// Why.
    pub because: HeldBack,
}

/// That one request may be sent. It ends with [`Turn::ended`]; dropped before, it says nothing.
pub struct Turn {
    traffic: Traffic,
    lane: LaneName,
    passage: Passage,
    open: bool,
}

impl Traffic {
    /// With nothing known of any server.
    pub fn new(rules: TrafficRules) -> Self {
        Self {
            lanes: Arc::default(),
            rules,
        }
    }

    /// A turn in the line, for the Mailbox `uid`.
    ///
    /// # Errors
    /// [`NotYet`]: nobody waits here.
    pub fn queue(&self, name: &LaneName, uid: &str, now: Timestamp) -> Result<Turn, NotYet> {
        let mut lanes = self.lock();
        let lane = self.lane(&mut lanes, name, now);
        let closed = lane.closed(now, self.rules.waits);
        match lane.line.enter(uid, closed.map(|closed| closed.until), now) {
            Ok(()) => Ok(self.turn(name, lane, now)),
            Err(until) => Err(NotYet {
                until,
                because: closed.map_or(HeldBack::Line, |closed| closed.because),
            }),
        }
    }

    /// A turn before all others, for a person who waits, or a question that is seldom asked.
    ///
    /// # Errors
    /// What the server said last, where it is not to be asked now.
    pub fn at_once(
        &self,
        name: &LaneName,
        doing: &'static str,
        now: Timestamp,
    ) -> Result<Turn, OAuthError> {
        let mut lanes = self.lock();
        let lane = self.lane(&mut lanes, name, now);
        if lane.closed(now, self.rules.waits).is_some() {
            let (kind, detail) = match &lane.trouble {
                Some((kind, detail)) => (*kind, detail.clone()),
                None => (Trouble::Down, "the server does not answer".to_owned()),
            };
            return Err(OAuthError::Unavailable {
                doing,
                detail,
                kind,
                pause: None,
            });
        }
        lane.line.pass();
        Ok(self.turn(name, lane, now))
    }

    /// Whether nothing may be sent there, for metrics.
    pub fn is_closed(&self, name: &LaneName, now: Timestamp) -> bool {
        let lanes = self.lock();
        let lane = lanes.get(name);
        lane.is_some_and(|lane| lane.closed(now, self.rules.waits).is_some())
    }

    fn turn(&self, name: &LaneName, lane: &mut Lane, now: Timestamp) -> Turn {
        let passage = lane.circuit.admits(now).unwrap_or(Passage::Usual);
        lane.circuit = lane.circuit.sent(passage);
        Turn {
            traffic: self.clone(),
            lane: name.clone(),
            passage,
            open: true,
        }
    }

    fn lane<'a>(
        &self,
        lanes: &'a mut HashMap<LaneName, Lane>,
        name: &LaneName,
        now: Timestamp,
    ) -> &'a mut Lane {
        if lanes.len() >= LANES && !lanes.contains_key(name) {
            lanes.retain(|_, lane| later(lane.used, UNUSED) > now || !lane.line.is_idle(now));
        }
        let line = self.rules.line;
        let lane = lanes.entry(name.clone()).or_insert_with(|| Lane {
            line: Line::new(line),
            circuit: Circuit::default(),
            pause: None,
            trouble: None,
            used: now,
        });
        lane.used = now;
        lane
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneName, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Lane {
    /// Until when nothing may be sent.
    fn closed(&self, now: Timestamp, waits: Waits) -> Option<NotYet> {
        let pause = self.pause.filter(|until| *until > now);
        let circuit = match self.circuit.admits(now) {
            Some(_) => None,
            // A probe is on its way, and tells in a while.
            None => Some(self.circuit.opens_at().unwrap_or(later(now, waits.first))),
        };
        let because = match pause >= circuit {
            true => HeldBack::Pause,
            false => HeldBack::Circuit,
        };
        let until = pause.max(circuit)?;
        Some(NotYet { until, because })
    }
}

impl Turn {
    /// The request has ended so.
    pub fn ended<T>(mut self, result: &Result<T, OAuthError>, now: Timestamp) {
        self.open = false;
        let health = match result {
            Ok(_) => Health::Sound,
            Err(error) => error.health(),
        };
        let waits = self.traffic.rules.waits;
        self.settle(|lane, passage| {
            let was = lane.circuit;
            lane.circuit = was.heard(passage, health, now, waits);
            if let Err(error) = result {
                lane.note(error, now);
            }
            (was, lane.circuit)
        });
    }

    fn settle(&self, change: impl FnOnce(&mut Lane, Passage) -> (Circuit, Circuit)) {
        let mut lanes = self.traffic.lock();
        let Some(lane) = lanes.get_mut(&self.lane) else {
            return;
        };
        lane.line.back();
        let (was, is) = change(lane, self.passage);
        drop(lanes);
        let LaneName {
            token_endpoint,
            client_id,
            ..
        } = &self.lane;
        match (was, is) {
            (Circuit::Closed { .. }, Circuit::Open { wait, .. }) => {
                tracing::warn!(%token_endpoint, client_id, wait_s = wait.as_secs_f32(), "the OAuth server fails; nothing more is sent for this client, and soon it is tried again");
            }
            (Circuit::Open { .. } | Circuit::Probing { .. }, Circuit::Closed { .. }) => {
                tracing::info!(%token_endpoint, client_id, "the OAuth server answers again");
            }
            _ => {}
        }
    }
}

impl Lane {
    fn note(&mut self, error: &OAuthError, now: Timestamp) {
        let OAuthError::Unavailable {
            detail,
            kind,
            pause,
            ..
        } = error
        else {
            return;
        };
        self.trouble = Some((*kind, detail.clone()));
        // A shorter pause that is asked for later does not end a longer one.
        self.pause = self.pause.max(pause.map(|pause| later(now, pause)));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.open {
            let now = Timestamp::now();
            self.settle(|lane, passage| {
                let was = lane.circuit;
                lane.circuit = was.given_up(passage, now);
                (was, lane.circuit)
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
