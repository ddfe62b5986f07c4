//! (room syntax)
