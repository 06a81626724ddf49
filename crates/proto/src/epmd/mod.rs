//! EPMD, the name server of a host: its frames, a client and the whole server, all without a socket.
