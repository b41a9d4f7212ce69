//! The embedded store: one writer thread with group commit, reader connections.
