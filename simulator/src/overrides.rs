//! Connection overrides: what the fragment of a webhook URL asks of its delivery.

use std::time::Duration;

/// How a webhook is delivered. Values out of Twilio's range are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// Further tries after the first.
    pub(crate) retries: u32,
    pub(crate) retry_on: RetryOn,
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    /// All tries and the waits between them.
    pub(crate) total: Duration,
}

/// Which failures are tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RetryOn {
    pub(crate) client_error: bool,
    pub(crate) server_error: bool,
    pub(crate) connect: bool,
    pub(crate) read: bool,
}

impl Default for Overrides {
    fn default() -> Overrides {
        Overrides {
            retries: 1,
            retry_on: RetryOn { connect: true, ..RetryOn::default() },
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
        }
    }
}

impl Overrides {
    /// Reads `rc=2&rp=5xx,ct,rt&ct=2000&rt=5000&tt=10000`; other keys are ignored.
    pub(crate) fn parse(fragment: &str) -> Overrides {
        let mut overrides = Overrides::default();
        for (key, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
            let number = value.parse::<u64>().ok();
            let ms = |range: std::ops::RangeInclusive<u64>| {
                number.filter(|ms| range.contains(ms)).map(Duration::from_millis)
            };
            match key {
                "rc" => {
                    if let Some(count) = number.filter(|&count| count <= 5) {
                        overrides.retries = count as u32;
                    }
                }
                "rp" => overrides.retry_on = RetryOn::parse(value),
                "ct" => overrides.connect = ms(100..=10_000).unwrap_or(overrides.connect),
                "rt" => overrides.read = ms(100..=15_000).unwrap_or(overrides.read),
                "tt" => overrides.total = ms(100..=15_000).unwrap_or(overrides.total),
                _ => {}
            }
        }
        overrides
    }
}

impl RetryOn {
    fn parse(list: &str) -> RetryOn {
        let mut on = RetryOn::default();
        for word in list.split(',') {
            match word {
                "4xx" => on.client_error = true,
                "5xx" => on.server_error = true,
                "ct" => on.connect = true,
                "rt" => on.read = true,
                "all" => on = RetryOn { client_error: true, server_error: true, connect: true, read: true },
                _ => {}
            }
        }
        on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fragment_only_a_failed_connect_is_tried_once_more() {
        let plain = Overrides::parse("");
        assert_eq!(plain, Overrides::default());
        assert_eq!(plain.retries, 1);
        assert!(plain.retry_on.connect && !plain.retry_on.server_error);
    }

    #[test]
    fn a_fragment_sets_tries_reasons_and_times() {
        let set = Overrides::parse("rc=5&rp=5xx,ct,rt&ct=2000&rt=5000&e=ashburn");
        assert_eq!(set.retries, 5);
        assert!(set.retry_on.server_error && set.retry_on.read && !set.retry_on.client_error);
        assert_eq!(set.connect, Duration::from_secs(2));
        assert_eq!(set.read, Duration::from_secs(5));
        assert_eq!(Overrides::parse("rc=9&ct=1").retries, 1);
    }
}
