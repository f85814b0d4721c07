"""How the page looks: a calm theme, light and dark, and the little CSS that gradio's options do not reach."""

from __future__ import annotations

import gradio as gr

PAPER, CARD, LINE, TEXT, QUIET = "#f8f7f4", "#ffffff", "#dedbd3", "#1f2328", "#565c64"
PAPER_DARK, CARD_DARK, LINE_DARK, TEXT_DARK, QUIET_DARK = (
    "#14171a",
    "#1d2125",
    "#353b41",
    "#eceff1",
    "#a9b1b9",
)
ACCENT, ACCENT_DARK = "#0f766e", "#5eead4"  # on their papers 5.1 and 12 to 1: AA asks 4.5


def page_theme() -> gr.themes.Base:
    """Return the theme; its font comes with gradio, so that the page asks no other site for anything."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    )
    return theme.set(
        body_background_fill=PAPER,
        body_background_fill_dark=PAPER_DARK,
        body_text_color=TEXT,
        body_text_color_dark=TEXT_DARK,
        body_text_color_subdued=QUIET,
        body_text_color_subdued_dark=QUIET_DARK,
        background_fill_primary=CARD,
        background_fill_primary_dark=CARD_DARK,
        background_fill_secondary=PAPER,
        background_fill_secondary_dark=CARD_DARK,
        block_background_fill=CARD,
        block_background_fill_dark=CARD_DARK,
        block_border_color=LINE,
        block_border_color_dark=LINE_DARK,
        border_color_primary=LINE,
        border_color_primary_dark=LINE_DARK,
        block_label_text_color=QUIET,
        block_label_text_color_dark=QUIET_DARK,
        prose_header_text_weight="700",  # the font comes in 400 and 700
        block_label_text_weight="400",
        link_text_color=ACCENT,
        link_text_color_dark=ACCENT_DARK,
        link_text_color_hover=TEXT,
        link_text_color_hover_dark=TEXT_DARK,
    )


# The first match is twice as large as the others; captions stand under the pictures, where none is cut off.
CSS = """
.gradio-container { max-width: 1120px !important; margin: 0 auto !important; }
#title h1 { font-size: 1.9rem; font-weight: 700; letter-spacing: -0.01em; margin: 0.4rem 0 0; }
#title p { font-size: 1.1rem; margin: 0.2rem 0 0.4rem; }
#standing p { font-size: 1.15rem; font-weight: 700; margin: 0; }
#notice { border-left: 4px solid var(--color-accent); padding: 0.5rem 0.9rem; }
#meaning p, #footer p, #title p { color: var(--body-text-color-subdued) !important; }
#meaning p, #footer p { font-size: 0.9rem; line-height: 1.5; }
#footer { margin-top: 1.5rem; }
footer .show-api { display: flex !important; }
footer .divider { display: none !important; }
#matches { border: 0; background: none; overflow: visible; }
#matches .grid-wrap { padding: 0; min-height: 0; max-height: none; overflow: visible; }
#matches .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)); grid-auto-rows: auto;
  gap: 14px; }
#matches .gallery-item:first-child { grid-column: span 2; grid-row: span 2; }
#matches .thumbnail-item { display: flex; flex-direction: column; aspect-ratio: auto;
  background: var(--block-background-fill); }
#matches .thumbnail-item img { aspect-ratio: 1; height: auto; border-radius: 0; }
#matches .caption-label { position: static; max-width: none; flex: 1; border: 0; background: none;
  opacity: 1 !important; padding: 0.45rem 0.6rem; white-space: normal; text-wrap: balance;
  overflow-wrap: anywhere; font-size: 0.85rem; line-height: 1.3; color: var(--body-text-color); }
#matches .gallery-item:first-child .caption-label { display: flex; align-items: center;
  padding: 0.6rem 0.9rem; font-size: 1.2rem; font-weight: 700; }
@media (max-width: 640px) {
  #photo { height: 340px !important; }
  #matches .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
"""
