//! Behaviours: the gen protocol and what is built on it.

pub mod request;
