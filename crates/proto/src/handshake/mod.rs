//! Two nodes prove to each other that they know the cookie, and agree on what they can speak.
