//! Worlds that break a rule on purpose: what the simulation is worth is what it catches.

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutation {
    /// A retry releases the next of its order.
    ReleasesEarly,
    /// What became final releases nobody.
    NeverReleases,
    /// Canceling releases nobody.
    CancelsWithoutRelease,
    /// What is released is not told to its lane.
    ReleasesUntold,
    /// Two refusals are enough to be passed.
    PassesEarly,
    /// A crash loses a waiting job.
    LosesJob,
    /// What is in flight is superseded.
    SupersedesInFlight,
    /// Canceling does not ask the lane.
    CancelsUnasked,
    /// Outcomes of a lost lane are recorded.
    IgnoresFence,
    /// Nobody wakes the lanes any more.
    LosesAlarm,
    /// Outcomes count as recorded before they are.
    RecordsTooSoon,
    /// Outcomes that could not be recorded are forgotten.
    ForgetsOutcomes,
    /// What was asked for one lane is given to another.
    SwapsClaims,
    /// A claim that fails is not told.
    LosesFailedClaims,
    /// Claims bring held jobs too.
    ClaimsHeldJobs,
    /// The lane is told twice its rate.
    DoublesRate,
    /// The lane is told twice its limit of requests under way.
    DoublesInFlight,
    /// Half of what a receiver asks for is forgotten.
    HalvesRetryAfter,
    /// Retries are kept as due too early.
    HastensRetries,
    /// The lane is not told that its subscription was switched on or off.
    SwitchesUntold,
    /// The lane of a deleted subscription is not closed.
    DeletesUntold,
}

impl Mutation {
    pub(super) const ALL: [Mutation; 21] = [
        Mutation::ReleasesEarly,
        Mutation::NeverReleases,
        Mutation::CancelsWithoutRelease,
        Mutation::ReleasesUntold,
        Mutation::PassesEarly,
        Mutation::LosesJob,
        Mutation::SupersedesInFlight,
        Mutation::CancelsUnasked,
        Mutation::IgnoresFence,
        Mutation::LosesAlarm,
        Mutation::RecordsTooSoon,
        Mutation::ForgetsOutcomes,
        Mutation::SwapsClaims,
        Mutation::LosesFailedClaims,
        Mutation::ClaimsHeldJobs,
        Mutation::DoublesRate,
        Mutation::DoublesInFlight,
        Mutation::HalvesRetryAfter,
        Mutation::HastensRetries,
        Mutation::SwitchesUntold,
        Mutation::DeletesUntold,
    ];
}
