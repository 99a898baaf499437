//! Who may go now, where many want to and only some may: each gets a time of its own, in the order
//! in which they came, and nobody has to stand and wait.
//!
//! First come, first served, rather than whose token ends first: a renewal is due when a tenth to a
//! quarter of the token's life is left, 6 to 15 minutes at Google, and at 20 a second 7,200 grants
//! pass in 6 minutes. After an outage that was longer than that, most tokens have ended, and what
//! counts is that the line moves.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::schedule::later;

/// How long a time is kept for one who does not come: there may be much else to do.
const LATE: Duration = Duration::from_secs(60);

/// How fast a line moves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// Between two that go.
    pub gap: Duration,
    /// How many may be under way at once.
    pub at_once: usize,
}

/// A line of those who want to go.
#[derive(Clone, Debug)]
pub struct Line {
    rules: Rules,
    under_way: usize,
    /// The next time that nobody has.
    next: Timestamp,
    times: HashMap<String, Timestamp>,
    /// In the order of their times. One who came has left an entry here without one in `times`.
    order: VecDeque<(Timestamp, String)>,
}

impl Line {
    /// With nobody in it.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            under_way: 0,
            next: Timestamp::MIN,
            times: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// `who` wants to go at `now`. Nobody may before `closed_until`.
    ///
    /// # Errors
    /// When to come again: that time is theirs. Where too many are under way then, they get another
    /// one, at the end of the line.
    pub fn enter(
        &mut self,
        who: &str,
        closed_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        self.forget_who_is_late(now);
        let theirs = self.times.get(who).copied();
        if let Some(time) = theirs.filter(|time| *time > now) {
            return Err(time);
        }
        self.times.remove(who);
        let turn = theirs.is_some() || (self.times.is_empty() && self.next <= now);
        let open = closed_until.is_none_or(|until| until <= now);
        if turn && open && self.under_way < self.rules.at_once {
            self.under_way += 1;
            if theirs.is_none() {
                self.next = later(now, self.rules.gap);
            }
            return Ok(());
        }
        // At once would be in vain.
        let soonest = later(now, self.rules.gap);
        let time = self.next.max(closed_until.unwrap_or(soonest)).max(soonest);
        self.next = later(time, self.rules.gap);
        self.times.insert(who.to_owned(), time);
        self.order.push_back((time, who.to_owned()));
        Err(time)
    }

    /// One goes without a time of its own.
    pub fn pass(&mut self) {
        self.under_way += 1;
    }

    /// One who went is back.
    pub fn back(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Whether nobody is under way, and nobody has a time at `now` or later.
    pub fn is_idle(&mut self, now: Timestamp) -> bool {
        self.forget_who_is_late(now);
        self.under_way == 0 && self.times.is_empty() && self.next <= now
    }

    fn forget_who_is_late(&mut self, now: Timestamp) {
        while let Some((time, _)) = self.order.front() {
            if later(*time, LATE) >= now {
                return;
            }
            if let Some((time, who)) = self.order.pop_front()
                && self.times.get(&who) == Some(&time)
            {
                self.times.remove(&who);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn time(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    fn line(at_once: usize) -> Line {
        Line::new(Rules {
            gap: Duration::from_millis(50),
            at_once,
        })
    }

    /// Lets `count` come at `start`, and again whenever they are told to; each is under way for
    /// `takes`. Returns when each went.
    fn all_go(mut line: Line, count: usize, takes: i64, closed_until: i64) -> Vec<(i64, usize)> {
        let mut agenda: BTreeMap<i64, Vec<Option<usize>>> = BTreeMap::new();
        agenda.insert(0, (0..count).map(Some).collect());
        let mut went = Vec::new();
        let mut asked = 0;
        while let Some((now, events)) = agenda.pop_first() {
            for event in events {
                let Some(who) = event else {
                    line.back();
                    continue;
                };
                asked += 1;
                match line.enter(&who.to_string(), Some(time(closed_until)), time(now)) {
                    Ok(()) => {
                        went.push((now, who));
                        agenda.entry(now + takes).or_default().push(None);
                    }
                    Err(again) => {
                        let again = again.as_millisecond();
                        assert!(again > now);
                        agenda.entry(again).or_default().push(Some(who));
                    }
                }
            }
        }
        let last = went.last().unwrap().0;
        assert!(
            asked as i64 <= count as i64 + 1 + last / 50 + 1,
            "{asked} asked"
        );
        assert!(line.is_idle(time(last + takes + 100)));
        went
    }

    #[test]
    fn two_thousand_at_once_go_one_after_the_other() {
        let went = all_go(line(16), 2000, 100, 0);
        for (nth, (at, who)) in went.iter().enumerate() {
            assert_eq!((*at, *who), (nth as i64 * 50, nth));
        }
    }

    #[test]
    fn nobody_goes_before_it_opens_and_then_they_are_spread() {
        let went = all_go(line(16), 100, 100, 60_000);
        assert!(went.iter().all(|(at, _)| *at >= 60_000));
        assert!(went.windows(2).all(|two| two[1].0 - two[0].0 >= 50));
        assert_eq!(went.len(), 100);
    }

    #[test]
    fn a_slow_server_has_only_so_many_to_answer() {
        let went = all_go(line(4), 200, 2000, 0);
        assert_eq!(went.len(), 200);
        for (at, _) in &went {
            let under_way = went
                .iter()
                .filter(|(other, _)| (at - 1999..=*at).contains(other));
            assert!(under_way.count() <= 4);
        }
    }

    #[test]
    fn who_does_not_come_holds_up_nobody_for_long() {
        let mut line = line(1);
        assert_eq!(line.enter("a", None, time(0)), Ok(()));
        assert_eq!(line.enter("b", None, time(0)), Err(time(50)));
        assert_eq!(
            line.enter("b", None, time(10)),
            Err(time(50)),
            "its time stays"
        );
        line.back();
        // b is gone; c has a time of its own, and does not wait for b.
        assert_eq!(line.enter("c", None, time(60)), Err(time(110)));
        assert_eq!(line.enter("c", None, time(110)), Ok(()));
        line.back();
        assert!(!line.is_idle(time(200)), "b may still come");
        assert!(line.is_idle(time(60_200)) && line.order.is_empty());
    }
}
