//! What such requests leave behind.
