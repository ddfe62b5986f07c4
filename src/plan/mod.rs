//! (room plan)
