//! Which network addresses this server may connect to.
//!
//! Public addresses are for everybody. All others mean something only where this server stands: the machine itself,
//! the network behind the firewall, the metadata of a cloud. Whoever could make the server ask there would see with
//! its eyes, so such an address is used only if the operator has named its network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// A block of addresses, such as `10.1.2.0/24`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

/// Why a text is no network.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{0:?} is no network; write its first address, a slash and the bits that are fixed, such as 10.1.2.0/24"
)]
pub struct NetworkError(String);

impl Network {
    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ.checked_shr(u32::BITS - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ.checked_shr(u128::BITS - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NetworkError(text.to_owned());
        let (first, prefix) = text.split_once('/').ok_or_else(error)?;
        let first: IpAddr = first.parse().map_err(|_| error())?;
        let bits = if first.is_ipv4() { u32::BITS } else { u128::BITS };
        let is_number = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix: u32 = prefix.parse().map_err(|_| error())?;
        let behind_prefix = match first {
            IpAddr::V4(first) => first.to_bits().checked_shl(prefix).unwrap_or(0) != 0,
            IpAddr::V6(first) => first.to_bits().checked_shl(prefix).unwrap_or(0) != 0,
        };
        // Bits behind the prefix are a slip: somebody meant another network than they wrote.
        if prefix > bits || !is_number || behind_prefix {
            return Err(error());
        }
        Ok(Self { first, prefix })
    }
}

/// Addresses that are not public, by what they are for (the IANA registries of special-purpose addresses,
/// RFC 6890), as far as IPv4 goes.
const SPECIAL: [(Ipv4Addr, u32, &str); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8, "this machine"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private network"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a provider's own network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "the local link, where clouds keep their metadata"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private network"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private network"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "measurements"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "groups of machines"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "nothing yet, or everybody on the link"),
];

/// The only block of IPv6 that public addresses come from (`2000::/3`), and what in it is not public.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SPECIAL_V6: [(Ipv6Addr, u32, &str); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocols and tunnels"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "tunnels"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// IPv4 addresses as machines without IPv4 see them (RFC 6052).
const TRANSLATED: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// What an address is for, if it is not a public one.
fn special_use(address: IpAddr) -> Option<&'static str> {
    let within = |first: IpAddr, prefix| Network { first, prefix }.contains(address);
    if address.is_ipv4() {
        let found = SPECIAL.iter().find(|(first, prefix, _)| within((*first).into(), *prefix));
        return found.map(|(.., use_of)| *use_of);
    }
    if !within(PUBLIC_V6.0.into(), PUBLIC_V6.1) {
        return Some("this machine, its link, a private network or nothing public");
    }
    let found = SPECIAL_V6.iter().find(|(first, prefix, _)| within((*first).into(), *prefix));
    found.map(|(.., use_of)| *use_of)
}

/// The IPv4 address that an IPv6 address stands for, or the address itself.
fn meant(address: IpAddr) -> IpAddr {
    let (first, prefix) = TRANSLATED;
    match address.to_canonical() {
        IpAddr::V6(v6) if (Network { first: first.into(), prefix }).contains(v6.into()) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        other => other,
    }
}

/// How far this server reaches: public addresses, and the networks that the operator has named.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    allowed: Vec<Network>,
}

/// An address that may be connected to; only [`Reach::admit`] makes one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReachableAddress(IpAddr);

/// An address that is not connected to.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "{address} is an address for {use_of}, which is asked only if outbound.allowed_networks names its network"
)]
pub struct UnreachableAddress {
    /// The address.
    pub address: IpAddr,
    /// What such addresses are for.
    pub use_of: &'static str,
}

impl Reach {
    /// Public addresses and these networks.
    pub fn with(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Lets an address through, or says why not.
    pub fn admit(&self, address: IpAddr) -> Result<ReachableAddress, UnreachableAddress> {
        let meant = meant(address);
        match special_use(meant) {
            Some(use_of) if !self.allowed.iter().any(|network| network.contains(meant)) => {
                Err(UnreachableAddress { address, use_of })
            }
            Some(_) | None => Ok(ReachableAddress(address)),
        }
    }
}

impl ReachableAddress {
    /// The address.
    pub fn get(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_one_way() {
        for text in ["10.1.2.0/24", "0.0.0.0/0", "::1/128", "fd00::/8", "192.0.2.1/32"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "10.1.2.0",
            "10.1.2.0/",
            "10.1.2.0/33",
            "10.1.2.1/24",
            "10.1.2.0/+24",
            "::1/129",
            "010.0.0.0/8",
            "10.0.0.0/8 ",
            "fd00::1/8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_public_addresses_are_reached_by_default() {
        let reach = Reach::default();
        for public in [
            "8.8.8.8",
            "193.0.0.1",
            "2606:4700::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "172.32.0.1",
        ] {
            assert!(reach.admit(public.parse().unwrap()).is_ok(), "{public}");
        }
        // J02
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "2001:db8::1",
            "4000::1",
        ] {
            assert!(reach.admit(special.parse().unwrap()).is_err(), "{special}");
        }
    }

    #[test]
    fn a_network_that_is_named_is_reached_and_its_neighbour_is_not() {
        let reach = Reach::with(vec!["10.1.2.0/24".parse().unwrap(), "::1/128".parse().unwrap()]);
        for (address, is_reached) in [
            ("10.1.2.255", true),
            ("::ffff:10.1.2.3", true),
            ("::1", true),
            ("10.1.3.0", false),
            ("127.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(reach.admit(address.parse().unwrap()).is_ok(), is_reached, "{address}");
        }
    }
}
