//! Races, made to happen.
