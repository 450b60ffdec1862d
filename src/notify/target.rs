//! Which URLs and addresses may be delivered to.
//!
//! Whoever may create an endpoint has this server send requests. It must not be a way into networks that only the
//! server can reach, so only addresses of the public internet are taken, when the endpoint is created and again
//! when a connection is made, because a name may lead elsewhere by then. A server that itself is only on
//! this machine may deliver to this machine, too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2_048;

/// Where deliveries may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses.
    Public,
    /// To public addresses and to this machine.
    PublicAndThisMachine,
}

/// Why a URL is not delivered to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL that deliveries can go to.
    #[error("{0}")]
    Url(String),
    /// It leads to an address that is not on the public internet.
    #[error("{0} is not an address on the public internet")]
    Address(IpAddr),
}

impl TargetError {
    /// What is wrong, in a word.
    pub const fn code(&self) -> &'static str {
        match self {
            TargetError::Url(_) => "invalid",
            TargetError::Address(_) => "not_allowed",
        }
    }
}

impl Reach {
    /// Reads a URL, and checks it as far as that can be done without asking where its name leads.
    pub fn url(self, text: &str) -> Result<Url, TargetError> {
        let refused = |why: &str| Err(TargetError::Url(why.to_owned()));
        if text.len() > LONGEST {
            return refused("at most 2048 characters");
        }
        let url = Url::parse(text).map_err(|error| TargetError::Url(format!("not a URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return refused("must not have a user name or a password: check the signature instead");
        }
        if url.fragment().is_some() {
            return refused("must not have a fragment");
        }
        let Some(host) = url.host() else { return refused("must be an https URL") };
        let this_machine = match host {
            Host::Ipv4(address) => self.address(address.into()).map(|()| address.is_loopback())?,
            Host::Ipv6(address) => self.address(address.into()).map(|()| address.is_loopback())?,
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                let local = name == "localhost" || name.ends_with(".localhost");
                if local {
                    self.address(Ipv4Addr::LOCALHOST.into())?;
                }
                local
            }
        };
        match url.scheme() {
            "https" => Ok(url),
            "http" if this_machine => Ok(url),
            _ => refused("must be an https URL"),
        }
    }

    /// Whether a connection to this address may be made.
    pub fn address(self, address: IpAddr) -> Result<(), TargetError> {
        let allowed = match (address, self) {
            (address, Reach::PublicAndThisMachine) if address.is_loopback() => true,
            (IpAddr::V4(address), _) => is_public_v4(address),
            (IpAddr::V6(address), _) => is_public_v6(address),
        };
        if allowed { Ok(()) } else { Err(TargetError::Address(address)) }
    }
}

/// Networks that are not the public internet, as address and length of prefix: those that IANA lists for special
/// purposes, multicast and reserved ones, and the address at which one cloud's machines reach their host.
const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, length): &([u8; 4], u32)| {
        let difference = u32::from(address) ^ u32::from(Ipv4Addr::from(*network));
        difference.leading_zeros() >= *length
    };
    !SPECIAL_V4.iter().any(within)
}

/// Of all of IPv6 only the global unicast block is public, and in it these are not, or carry an IPv4 address in
/// them that would slip through: protocol assignments with Teredo, documentation, 6to4.
const SPECIAL_V6: [(u128, u32); 4] =
    [(0x2001_0000 << 96, 23), (0x2001_0db8 << 96, 32), (0x2002_0000 << 96, 16), (0x3fff_0000 << 96, 20)];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let global = bits >> 125 == 1;
    global && !SPECIAL_V6.iter().any(|(network, length)| (bits ^ network).leading_zeros() >= *length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.8.8",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in refused {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Reach::Public.address(address), Err(TargetError::Address(address)));
        }
        for address in
            ["8.8.8.8", "1.1.1.1", "100.63.0.1", "172.32.0.1", "192.1.0.1", "2606:4700::1111", "2a00:1450::1"]
        {
            assert_eq!(Reach::Public.address(address.parse().unwrap()), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_server_on_this_machine_reaches_this_machine_and_no_other_private_one() {
        let reach = Reach::PublicAndThisMachine;
        for address in ["127.0.0.1", "::1", "8.8.8.8"] {
            assert_eq!(reach.address(address.parse().unwrap()), Ok(()), "{address}");
        }
        for address in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1"] {
            assert!(reach.address(address.parse().unwrap()).is_err(), "{address}");
        }
    }

    #[test]
    fn urls_are_https_and_to_this_machine_only_from_this_machine() {
        let local = Reach::PublicAndThisMachine;
        let fine = ["https://example.com/hook?a=b", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/hook"];
        for url in fine {
            assert!(Reach::Public.url(url).is_ok() && local.url(url).is_ok(), "{url}");
        }
        for url in ["http://127.0.0.1:9000/hook", "http://[::1]:9000/", "http://localhost:9000/", "https://localhost/"]
        {
            assert!(local.url(url).is_ok(), "{url}");
            assert!(Reach::Public.url(url).is_err(), "{url}");
        }
        let bad = [
            "",
            "example.com",
            "http://example.com/",
            "ftp://example.com/",
            "https://user:secret@example.com/",
            "https://example.com/#part",
            "https://10.0.0.1/",
            "https://0x7f000001.1/",
            "https://2130706434/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "http://localhost.example.com/",
            "file:///etc/passwd",
            "https://",
        ];
        for url in bad {
            assert!(Reach::Public.url(url).is_err(), "{url}");
        }
        // Written another way, it is still this machine.
        assert_eq!(Reach::Public.url("https://2130706433/").map_err(|error| error.code()), Err("not_allowed"));
        assert!(Reach::Public.url("https://a.LOCALHOST./").is_err());
        assert!(Reach::Public.url(&format!("https://example.com/{}", "a".repeat(2_048))).is_err());
    }
}
