//! What tests share: a server, a scriptable receiver, a clock to move by hand.
