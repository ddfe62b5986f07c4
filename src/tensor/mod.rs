//! (room tensor)
