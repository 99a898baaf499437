//! Where the lab's servers are reached.

use std::net::Ipv4Addr;

/// A name that all of them have, and the address that it leads to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The name in their certificates, in URLs and in profiles.
    pub name: String,
    /// An address of this machine.
    pub address: Ipv4Addr,
}

impl Place {
    /// For programs of this machine alone.
    pub fn here() -> Place {
        Place {
            name: "localhost".to_owned(),
            address: Ipv4Addr::LOCALHOST,
        }
    }

    /// All addresses to listen at: the lab itself looks for its servers on the loopback.
    pub fn addresses(&self) -> Vec<String> {
        let mut all = vec![Ipv4Addr::LOCALHOST, self.address];
        all.dedup();
        all.iter().map(Ipv4Addr::to_string).collect()
    }
}
