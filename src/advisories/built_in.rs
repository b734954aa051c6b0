//! The advisories that are compiled in: one line each, in alphabetical order.

/// Name and text.
pub(super) const FILES: &[(&str, &str)] = &[
    ("advisories/anodot-2026.toml", include_str!("../../advisories/anodot-2026.toml")),
    ("advisories/circleci-2023.toml", include_str!("../../advisories/circleci-2023.toml")),
    (
        "advisories/commvault-metallic-2025.toml",
        include_str!("../../advisories/commvault-metallic-2025.toml"),
    ),
    (
        "advisories/contextai-vercel-2026.toml",
        include_str!("../../advisories/contextai-vercel-2026.toml"),
    ),
    ("advisories/crossbeam-2023.toml", include_str!("../../advisories/crossbeam-2023.toml")),
    ("advisories/dropbox-sign-2024.toml", include_str!("../../advisories/dropbox-sign-2024.toml")),
    ("advisories/gainsight-2025.toml", include_str!("../../advisories/gainsight-2025.toml")),
    (
        "advisories/heroku-travis-github-2022.toml",
        include_str!("../../advisories/heroku-travis-github-2022.toml"),
    ),
    ("advisories/klue-2026.toml", include_str!("../../advisories/klue-2026.toml")),
    ("advisories/mimecast-2021.toml", include_str!("../../advisories/mimecast-2021.toml")),
    (
        "advisories/salesloft-drift-2025.toml",
        include_str!("../../advisories/salesloft-drift-2025.toml"),
    ),
    ("advisories/sisense-2024.toml", include_str!("../../advisories/sisense-2024.toml")),
    ("advisories/unc6040-2025.toml", include_str!("../../advisories/unc6040-2025.toml")),
    ("advisories/waydev-2020.toml", include_str!("../../advisories/waydev-2020.toml")),
];
