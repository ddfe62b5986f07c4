//! (room faculty)
