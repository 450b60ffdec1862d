//! How Twilio's callbacks reach us: late, doubled, out of order, or not at all.

use gymcall_jobs::attempt::CallStatus;

use super::plan::Post;
use super::process::any_server;
use super::server;
use super::world::{MINUTE, MS, SECOND, World, say};

/// A request of Twilio's to us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Webhook {
    /// The call it is about, by its number.
    pub(crate) call: usize,
    /// What it says; none if it asks what to do.
    pub(crate) status: Option<CallStatus>,
    /// How often it was sent before.
    sent: u32,
    /// Nobody waits for its answer: the other one of a doubled request.
    stray: bool,
}

impl Webhook {
    pub(crate) fn voice(call: usize) -> Self {
        Self { call, status: None, sent: 0, stray: false }
    }
}

/// How long Twilio waits for an answer.
const PATIENCE: i64 = 15 * SECOND;
/// How often it tries again, as the callback URLs ask it to.
const RETRIES: u32 = 5;

impl World {
    /// Sends word of a status, as this call's callbacks travel.
    pub(crate) fn call_back(&mut self, at: usize, status: CallStatus) {
        let post = if self.calm { Post::Clean } else { self.twilio.calls[at].post };
        let lost = match post {
            Post::Lossy => self.dice.one_in(2),
            Post::LastOnly => !status.is_terminal(),
            Post::Silent => true,
            _ => false,
        };
        if lost {
            return self.fault("callback: lost by Twilio");
        }
        let copies = if post == Post::Doubled { 1 + self.dice.below(5) } else { 1 };
        for _ in 0..copies {
            let wait = match post {
                Post::Doubled => self.dice.between(10 * MS, 30 * SECOND),
                Post::Early => MS,
                Post::Late => match self.dice.below(3) {
                    0 => self.dice.between(SECOND, 2 * MINUTE),
                    1 => self.dice.between(MINUTE, 90 * MINUTE),
                    _ => self.dice.between(60 * MINUTE, 4_320 * MINUTE),
                },
                _ => self.dice.between(20 * MS, 400 * MS),
            };
            self.under_way += 1;
            let webhook = Webhook { call: at, status: Some(status), sent: 0, stray: false };
            self.after(wait, move |world| world.deliver(webhook));
        }
    }

    /// A webhook is sent to whichever process takes it.
    pub(crate) fn deliver(&mut self, webhook: Webhook) {
        self.tally.twilio(1);
        let lag = if self.plan.events_lag > 0 { self.dice.between(0, self.plan.events_lag) } else { 0 };
        let shown_at = self.now + lag;
        self.twilio.calls[webhook.call].shown.push(shown_at);
        let mut reply_lost = false;
        if !self.calm && self.dice.of_thousand(self.plan.callback_faults) {
            if self.dice.one_in(2) {
                self.fault("callback: its request is lost");
                return self.after(PATIENCE, move |world| world.undelivered(webhook));
            }
            self.fault("callback: our answer is lost");
            reply_lost = true;
        }
        let Some(process) = any_server(self) else {
            return self.after(SECOND, move |world| world.undelivered(webhook));
        };
        if webhook.status.is_none() && self.twilio.calls[webhook.call].post == Post::Doubled && !webhook.stray {
            self.under_way += 1;
            let stray = Webhook { stray: true, ..webhook };
            self.after(MS, move |world| world.deliver(stray));
        }
        let (world, answered) = (self.shared(), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
        let heard = std::sync::Arc::clone(&answered);
        self.begin(process, async move {
            let answer = server::answer(&world, process, webhook).await;
            world.with(|world| {
                if let Some(connect) = answer
                    && !reply_lost
                    && !heard.swap(true, std::sync::atomic::Ordering::Relaxed)
                {
                    world.delivered(webhook, connect);
                }
            });
        });
        self.after(PATIENCE, move |world| {
            if !answered.swap(true, std::sync::atomic::Ordering::Relaxed) {
                world.undelivered(webhook);
            }
        });
    }

    /// Twilio has our 2xx.
    fn delivered(&mut self, webhook: Webhook, connect: bool) {
        self.under_way -= 1;
        if webhook.status.is_none() && !webhook.stray {
            self.instructed(webhook.call, Some(connect));
        }
    }

    /// Nobody answered, or with an error.
    fn undelivered(&mut self, webhook: Webhook) {
        if webhook.sent < RETRIES {
            let wait = self.dice.between(SECOND, 10 * SECOND);
            let again = Webhook { sent: webhook.sent + 1, ..webhook };
            return self.after(wait, move |world| world.deliver(again));
        }
        self.under_way -= 1;
        say!(self, "Twilio gives up a callback of call {}", webhook.call);
        self.fault("callback: given up after its retries");
        if webhook.status.is_none() && !webhook.stray {
            self.instructed(webhook.call, None);
        }
    }
}
