//! One course that a run may take: call by call, by the same rules as the real one, with calls that go as expected.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::{SignedDuration, Timestamp};

use super::expectation::{Expectations, KINDS, is_redialled};
use super::outlook::{Outlook, Zone};
use super::{Stop, StopReason, Terms};
use crate::calling_day::CallingDay;
use crate::spend::Amount;
use crate::window::Hours;

/// What a course came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    pub(super) calls: u64,
    /// What the calls cost, in millionths.
    pub(super) cost: f64,
    /// Gyms whose hours never come.
    pub(super) outside: u64,
    pub(super) stop: Option<Stop>,
    /// For each zone: gyms, first call and last end.
    pub(super) zones: Vec<ZoneOutcome>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ZoneOutcome {
    pub(super) gyms: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// Nothing is looked for beyond this.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);
const MILLION: f64 = 1e6;

/// Times are microseconds since the epoch, as in the stores.
type Micros = i64;

pub(super) struct Course<'a> {
    terms: &'a Terms,
    expected: [super::Expected; KINDS],
    clocks: Vec<ZoneClock<'a>>,
    /// Gyms that wait, by when they can be called, zone and tries so far; how many, and when their window closes.
    ready: BTreeMap<(Micros, usize, u32), (u64, Micros)>,
    /// Calls under way: when they end, of which kind, zone and tries.
    live: BinaryHeap<Reverse<(Micros, usize, usize, u32)>>,
    /// How many calls of each number of tries went how, so that the shares are kept at any time.
    dealt: Vec<[u64; KINDS]>,
    /// Nobody is called before this: the pace's next token, or the moment up to which the course is known.
    earliest: Micros,
    interval: Micros,
    /// Whether the run was stopped for good.
    closed: bool,
    day: Option<Day>,
    outcome: Outcome,
}

/// Calls begun on one day.
struct Day {
    begun: u32,
    ends: Micros,
}

/// The windows of one zone, looked up once each.
struct ZoneClock<'a> {
    zone: &'a Zone,
    hours: Option<&'a Hours>,
    /// From when on this is the next window.
    found: Option<(Micros, Micros, Micros)>,
}

impl ZoneClock<'_> {
    /// The first window that has not closed by `due`: when it opens and closes.
    fn next(&mut self, due: Micros) -> Option<(Micros, Micros)> {
        let Some((hours, zone)) = self.hours.zip(self.zone.zone.as_ref()) else {
            return Some((Micros::MIN, Micros::MAX));
        };
        if let Some((from, opens, closes)) = self.found
            && from <= due
            && due < closes
        {
            return Some((opens, closes));
        }
        let window = hours.next(zone, timestamp(due))?;
        let (opens, closes) = (window.opens.as_microsecond(), window.closes.as_microsecond());
        self.found = Some((due, opens, closes));
        Some((opens, closes))
    }
}

impl<'a> Course<'a> {
    /// The whole course, if calls go like this.
    pub(super) fn run(terms: &'a Terms, outlook: &'a Outlook, expectations: &Expectations) -> Outcome {
        let clock = |zone| ZoneClock { zone, hours: terms.hours.as_ref(), found: None };
        let mut course = Self {
            terms,
            expected: expectations.each(),
            clocks: outlook.zones.iter().map(clock).collect(),
            ready: BTreeMap::new(),
            live: BinaryHeap::new(),
            dealt: Vec::new(),
            earliest: Micros::MIN,
            interval: (MILLION / terms.calls_per_second) as Micros,
            closed: false,
            day: None,
            outcome: Outcome { zones: vec![ZoneOutcome::default(); outlook.zones.len()], ..Outcome::default() },
        };
        let from = terms.from.as_microsecond();
        course.day = terms.calls_per_day.map(|_| Day { begun: terms.begun_today, ends: course.day_ends(from) });
        for (&(zone, tries), &calls) in &outlook.live {
            course.outcome.zones[zone].gyms += calls;
            for _ in 0..calls {
                let kind = course.deal(tries.saturating_sub(1));
                // Of what is under way, half is over on average.
                course.talk(from, kind, zone, tries.max(1), 0.5);
            }
        }
        for (&(zone, tries, minute), &gyms) in &outlook.waiting {
            course.outcome.zones[zone].gyms += gyms;
            course.wait(from + minute * 60 * 1_000_000, zone, tries, gyms);
        }
        course.play();
        course.outcome
    }

    fn play(&mut self) {
        let horizon = crate::retry::later(self.terms.from, HORIZON).as_microsecond();
        let lines = usize::try_from(self.terms.lines).unwrap_or(usize::MAX);
        loop {
            let first = self.ready.first_key_value().filter(|_| !self.closed);
            let begins = first.map(|(&(at, ..), _)| self.not_before(at));
            let ends = self.live.peek().map(|Reverse((at, ..))| *at);
            match (begins, ends) {
                (Some(begins), _) if begins > horizon => self.stop(StopReason::TooLong, begins),
                (Some(begins), None) => self.begin(begins),
                (Some(begins), Some(ends)) if begins < ends && self.live.len() < lines => self.begin(begins),
                (_, Some(_)) => self.end(),
                (None, None) => return,
            }
        }
    }

    /// When somebody who can be called at `at` is: by pace, by a line that has just come free, and by the day's limit.
    fn not_before(&self, at: Micros) -> Micros {
        let at = at.max(self.earliest);
        let (Some(most), Some(day)) = (self.terms.calls_per_day, self.day.as_ref()) else { return at };
        if at < day.ends && day.begun >= most { day.ends } else { at }
    }

    /// Begins a call with whoever has waited longest.
    fn begin(&mut self, now: Micros) {
        let Some(mut first) = self.ready.first_entry() else { return };
        let (_, zone, tries) = *first.key();
        let (gyms, closes) = first.get_mut();
        if *closes <= now {
            let (gyms, closes) = first.remove();
            return self.wait(closes, zone, tries, gyms);
        }
        let set_aside = self.terms.reserve.times(i64::try_from(self.live.len()).unwrap_or(i64::MAX).saturating_add(1));
        let spent = self.terms.spent.plus(Amount::from_micros(self.outcome.cost as i64)).plus(set_aside);
        if self.terms.spend_cap.is_some_and(|cap| spent > cap) {
            return self.stop(StopReason::Budget, now);
        }
        *gyms -= 1;
        if *gyms == 0 {
            first.remove();
        }
        self.count_day(now);
        self.earliest = now + self.interval;
        self.outcome.calls += 1;
        self.outcome.zones[zone].first.get_or_insert(timestamp(now));
        let kind = self.deal(tries);
        self.talk(now, kind, zone, tries + 1, 1.0);
    }

    fn count_day(&mut self, now: Micros) {
        let Some(most) = self.terms.calls_per_day else { return };
        let begun = self.day.as_ref().filter(|day| now < day.ends).map_or(0, |day| day.begun);
        self.day = Some(Day { begun: begun + 1, ends: self.day_ends(now) });
        if begun + 1 >= most && !self.ready.is_empty() {
            self.stop(StopReason::DailyLimit, now);
        }
    }

    fn day_ends(&self, now: Micros) -> Micros {
        CallingDay::at(timestamp(now), &self.terms.days_in).ends_at.as_microsecond()
    }

    /// What kind of call this one is: the kind whose share is furthest behind.
    fn deal(&mut self, tries: u32) -> usize {
        let tries = usize::try_from(tries).unwrap_or(usize::MAX).min(32);
        if self.dealt.len() <= tries {
            self.dealt.resize(tries + 1, [0; KINDS]);
        }
        let dealt = &mut self.dealt[tries];
        let next = dealt.iter().sum::<u64>() as f64 + 1.0;
        let behind = |kind: &usize| self.expected[*kind].share * next - dealt[*kind] as f64;
        let kind = (0..KINDS).max_by(|one, other| behind(one).total_cmp(&behind(other))).unwrap_or_default();
        dealt[kind] += 1;
        kind
    }

    /// A call that goes on for its time, or for what is left of it.
    fn talk(&mut self, now: Micros, kind: usize, zone: usize, tries: u32, left: f64) {
        let lasts = (self.expected[kind].seconds * left * MILLION) as Micros;
        self.live.push(Reverse((now + lasts, kind, zone, tries)));
    }

    fn end(&mut self) {
        let Some(Reverse((now, kind, zone, tries))) = self.live.pop() else { return };
        self.outcome.cost += self.expected[kind].minutes * self.terms.price_per_minute.micros() as f64;
        let last = &mut self.outcome.zones[zone].last;
        *last = Some(timestamp(now)).max(*last);
        if is_redialled(kind) && tries < self.terms.max_attempts {
            let due = now + i64::try_from(self.terms.redial_after.as_micros()).unwrap_or(Micros::MAX / 2);
            self.wait(due, zone, tries, 1);
            if let (true, Some(stop)) = (self.closed, &mut self.outcome.stop) {
                stop.gyms_left += 1;
            }
        }
        // Nobody begins before that who had to wait for the line.
        self.earliest = self.earliest.max(now);
    }

    /// Waits for the next window from `due` on.
    fn wait(&mut self, due: Micros, zone: usize, tries: u32, gyms: u64) {
        match self.clocks[zone].next(due) {
            Some((opens, closes)) => {
                // Whole seconds: who comes due within one is counted together.
                let at = due.max(opens).div_euclid(1_000_000) + i64::from(due.max(opens).rem_euclid(1_000_000) > 0);
                self.ready.entry((at.saturating_mul(1_000_000), zone, tries)).or_insert((0, closes)).0 += gyms;
            }
            None => self.outcome.outside += gyms,
        }
    }

    fn stop(&mut self, reason: StopReason, at: Micros) {
        self.closed = reason != StopReason::DailyLimit;
        let gyms_left = self.ready.values().map(|(gyms, _)| gyms).sum();
        // The day's limit is told once, and what ends the run instead of it.
        if self.outcome.stop.is_none() || reason != StopReason::DailyLimit {
            self.outcome.stop = Some(Stop { reason, at: timestamp(at), gyms_left });
        }
    }
}

fn timestamp(micros: Micros) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
