//! Everything that speaks Twilio's wire language, and nothing that decides.
//!
//! A call leaves through [`client`]: one request, whose reply is sorted into a call,
//! a certain [`refusal`], or "unclear". Twilio then speaks to us three times: it fetches
//! what to do when the gym picks up and reports how the call fares (both [`callback`]),
//! and it opens a socket for the sound ([`stream`]). We answer the first with [`twiml`].
//! All three are believed only after their [`signature`] held for the URL that
//! [`public_url`] knows from our own settings.
//!
//! Twilio's words end here: past these files a status is a [`callback::CallStatus`], and
//! a time a [`jiff::Timestamp`].

pub mod callback;
pub mod client;
pub mod public_url;
pub mod refusal;
pub mod signature;
pub mod stream;
mod time;
pub mod twiml;
