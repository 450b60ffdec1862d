//! The gate: whether a dial may begin.

use jiff::SignedDuration;

use super::commit::{is_written, moved};
use super::keys;
use super::link::{Again, Link};
use super::record::{push_announcements, push_job};
use super::script::{self, Answer, Call};
use crate::breaker::Endings;
use crate::spend::Amount;
use crate::store::gate::{HELD, REST};
use crate::store::kept::{id, micros, timestamp};
use crate::store::pace::{LATENESS, LOG, Meter};
use crate::store::{BeginDial, Begun, Refusal, StoreError};

/// Lets a dial begin, or says why not.
pub(super) async fn begin(link: &Link, begin: BeginDial) -> Result<Begun, StoreError> {
    let ran = link.run(&call(link, &begin)?, Again::Safe).await?;
    let begun = match meaning(&ran.answer)? {
        // Its tag is this caller's alone: a record that carries it was written by the first try.
        Begun::Refused(Refusal::Changed) if ran.unsure && is_written(link, &begin.job).await? => Begun::Go,
        // It may have begun and have been moved on since. Whoever asked has to say that nothing was sent.
        Begun::Refused(Refusal::Changed) if ran.unsure => {
            return Err(StoreError::Failed("whether the dial began is not known".to_owned()));
        }
        begun => begun,
    };
    if begun == Begun::Go {
        link.tell(moved(&begin.job.job));
    }
    Ok(begun)
}

fn call(link: &Link, begin: &BeginDial) -> Result<Call, StoreError> {
    let mut call = Call::of(&script::BEGIN_DIAL);
    call.maybe(link.given_time()).push(link.origin()).push(micros(begin.due)).maybe(begin.closes.map(micros));
    call.push(whole(HELD)).push(whole(REST));
    let own = begin.gate.campaign.as_ref();
    call.push(begin.gate.account.lines).maybe(own.and_then(|(_, own)| own.lines));
    let limits = own.map(|(_, own)| *own).unwrap_or_default();
    call.push(Endings::MOST_FAILED);
    call.maybe(limits.day.map(|day| day.number)).maybe(limits.day.and_then(|day| day.calls));
    call.maybe(limits.spend_cap.map(Amount::micros)).push(begin.job.tally.spent().micros());
    let account = Meter::new(begin.gate.account.calls_per_second).map(|meter| (keys::ACCOUNT, meter));
    let own = own.and_then(|(id, own)| Some((id.as_str(), Meter::new(own.calls_per_second?)?)));
    let paces: Vec<_> = account.into_iter().chain(own).collect();
    call.push(paces.len());
    for (scope, Meter { interval, log, span }) in paces {
        call.push(scope).push(interval).push(log).push(span).push(LATENESS).push(LOG);
    }
    push_job(&mut call, &begin.job)?;
    push_announcements(&mut call, &begin.announce)?;
    Ok(call)
}

fn whole(wait: SignedDuration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}

fn meaning(answer: &Answer) -> Result<Begun, StoreError> {
    let at = || answer.number(1).map(timestamp);
    Ok(Begun::Refused(match answer.word() {
        "go" => return Ok(Begun::Go),
        "changed" => Refusal::Changed,
        "doubt" => Refusal::InDoubt,
        "not_due" => Refusal::NotDue(at()?),
        "closed" => Refusal::WindowClosed,
        "not_running" => Refusal::NotRunning,
        "superseded" => Refusal::Superseded,
        "suppressed" => Refusal::Suppressed,
        "held" => Refusal::NumberHeld(id(answer.part(1)?)?),
        "no_line" => Refusal::NoLine,
        "pace" => Refusal::Pace(at()?),
        "tripped" => Refusal::CircuitBreaker,
        "daily" => Refusal::DailyLimit,
        "budget" => Refusal::Budget,
        _ => return Err(answer.error()),
    }))
}
