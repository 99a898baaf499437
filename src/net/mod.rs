//! Connections as the egress policy and a profile's trust allow them; under `google` and `mail`.

pub mod connect;
pub mod detour;
pub mod gate;
pub mod http;
pub mod network;
pub mod trust;
