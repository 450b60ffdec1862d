//! Times of day, and spans between them.

use crate::voice::answers::number::number_at;

const HOUR: u16 = 60;
const NOON: u16 = 12 * HOUR;
const MIDNIGHT: u16 = 24 * HOUR;

/// A time as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    /// Minutes since midnight.
    minutes: u16,
    half: Half,
}

/// Which half of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
    /// The hour says it: 0, 13 to 24, noon, midnight.
    Known,
    Unsaid,
}

/// `HH:MM`.
pub(super) fn text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / HOUR, minutes % HOUR)
}

/// The span that begins at this token, as minutes of the day, and the token after it.
pub(super) fn span_at(tokens: &[String], at: usize) -> Option<(u16, u16, usize)> {
    if let Some(end) = always_at(tokens, at) {
        return Some((0, MIDNIGHT, end));
    }
    let (from, mut next) = time_at(tokens, at)?;
    let between = at > 0 && tokens[at - 1] == "between";
    let mut joined = false;
    loop {
        match tokens.get(next).map(String::as_str)? {
            "to" | "-" | "until" | "till" | "til" | "through" | "thru" | "close" | "closes" | "closing" => {
                joined = true
            }
            "and" if between => joined = true,
            "and" | "we" | "at" | "around" | "about" | "then" | "up" | "they" => {}
            _ => break,
        }
        next += 1;
    }
    let (to, end) = time_at(tokens, next).filter(|_| joined)?;
    let (from, to) = settle(from, to);
    Some((from, to, end))
}

/// `24 hours`, `24/7`, `around the clock`.
fn always_at(tokens: &[String], at: usize) -> Option<usize> {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    if matches!(word(at), "around" | "round") && word(at + 1) == "the" && word(at + 2) == "clock" {
        return Some(at + 3);
    }
    if word(at) == "always" && word(at + 1) == "open" {
        return Some(at + 2);
    }
    let (24.0, next) = number_at(tokens, at)? else { return None };
    let next = if word(next) == "-" { next + 1 } else { next };
    match word(next) {
        "hours" | "hour" => Some(if word(next + 1) == "a" && word(next + 2) == "day" { next + 3 } else { next + 1 }),
        "/" | "seven" => Some(if word(next) == "/" { next + 2 } else { next + 1 }),
        _ => None,
    }
}

fn time_at(tokens: &[String], at: usize) -> Option<(Time, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let (minutes, next) = match (word(at), word(at + 1)) {
        ("noon" | "midday", _) => return Some((Time { minutes: NOON, half: Half::Known }, at + 1)),
        ("midnight", _) => return Some((Time { minutes: MIDNIGHT, half: Half::Known }, at + 1)),
        ("half", "past") => hour_at(tokens, at + 2).map(|(hour, next)| (hour * HOUR + 30, next))?,
        ("quarter", "past") => hour_at(tokens, at + 2).map(|(hour, next)| (hour * HOUR + 15, next))?,
        ("quarter", "to") => hour_at(tokens, at + 2).map(|(hour, next)| ((hour * HOUR).saturating_sub(15), next))?,
        _ => written_at(tokens, at).or_else(|| spoken_at(tokens, at))?,
    };
    let (half, end) = half_at(tokens, next);
    let half = if !(HOUR..NOON + HOUR).contains(&minutes) { Half::Known } else { half };
    Some((Time { minutes, half }, end))
}

/// `6:30`, `6.30`.
fn written_at(tokens: &[String], at: usize) -> Option<(u16, usize)> {
    let (hour, minute) = tokens.get(at)?.split_once([':', '.'])?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60).then_some((hour * HOUR + minute, at + 1))
}

/// `six`, `six thirty`, `6`.
fn spoken_at(tokens: &[String], at: usize) -> Option<(u16, usize)> {
    let (hour, next) = hour_at(tokens, at)?;
    match number_at(tokens, next) {
        Some((minute, end)) if hour < 24 && (10.0..60.0).contains(&minute) && minute.fract() == 0.0 => {
            Some((hour * HOUR + minute as u16, end))
        }
        _ => Some((hour * HOUR, next)),
    }
}

fn hour_at(tokens: &[String], at: usize) -> Option<(u16, usize)> {
    let (hour, next) = number_at(tokens, at)?;
    (hour.fract() == 0.0 && (0.0..=24.0).contains(&hour)).then_some((hour as u16, next))
}

/// `am`, `p m`, `o'clock in the evening`.
fn half_at(tokens: &[String], at: usize) -> (Half, usize) {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let at = if word(at) == "oclock" { at + 1 } else { at };
    match (word(at), word(at + 1), word(at + 2)) {
        ("am", ..) => (Half::Morning, at + 1),
        ("pm", ..) => (Half::Afternoon, at + 1),
        ("a", "m", _) => (Half::Morning, at + 2),
        ("p", "m", _) => (Half::Afternoon, at + 2),
        ("in", "the", "morning") => (Half::Morning, at + 3),
        ("in", "the", "afternoon" | "evening") => (Half::Afternoon, at + 3),
        ("at", "night", _) => (Half::Afternoon, at + 2),
        _ => (Half::Unsaid, at),
    }
}

/// Which halves of the day a gym means where it did not say.
fn settle(from: Time, to: Time) -> (u16, u16) {
    let early = |time: Time| time.minutes % NOON;
    let opens = match from.half {
        Half::Known => from.minutes % MIDNIGHT,
        Half::Morning => early(from),
        Half::Afternoon => early(from) + NOON,
        // Nobody opens between one and five in the night: "2 to 8" is in the afternoon.
        Half::Unsaid if (HOUR..5 * HOUR).contains(&from.minutes) && to.half != Half::Morning => from.minutes + NOON,
        Half::Unsaid => from.minutes,
    };
    let closes = match to.half {
        Half::Known if to.minutes == 0 => MIDNIGHT,
        Half::Known => to.minutes,
        Half::Afternoon => early(to) + NOON,
        // "12 am" ends a day. "2 am" is in the night after.
        Half::Morning if early(to) == 0 => MIDNIGHT,
        Half::Morning => early(to),
        // "9 to 5", and "6 am to 10" too: a gym that closes before noon would say so.
        Half::Unsaid if to.minutes < NOON && (to.minutes <= opens || opens < NOON) => to.minutes + NOON,
        Half::Unsaid => to.minutes,
    };
    (opens, closes)
}
