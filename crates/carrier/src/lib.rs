//! Bytes between hosts: the one trait strangers implement, TCP, and an in-memory network.
