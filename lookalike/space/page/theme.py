"""The look of the page: a light and a dark theme, and CSS for what gradio's options cannot change."""

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
ACCENT, ACCENT_DARK = "#0f766e", "#5eead4"  # contrast 5.1 and 12 on their backgrounds; WCAG AA asks for 4.5
ACCENT_HOVER = "#0b5a54"


def page_theme() -> gr.themes.Base:
    """Return the theme. Its font comes with gradio, so that the page loads nothing from other sites."""
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
        button_primary_background_fill=ACCENT,  # gradio's own teal is too light for white letters
        button_primary_background_fill_dark=ACCENT,
        button_primary_background_fill_hover=ACCENT_HOVER,
        button_primary_background_fill_hover_dark=ACCENT_HOVER,
        link_text_color=ACCENT,
        link_text_color_dark=ACCENT_DARK,
        link_text_color_hover=TEXT,
        link_text_color_hover_dark=TEXT_DARK,
    )


# The chosen match is shown large beside the visitor. Captions are below the pictures, in full.
CSS = """
.gradio-container { width: 100%; min-width: 0; max-width: 1120px !important; margin: 0 auto !important; }
.gradio-container :focus-visible { outline: 2px solid var(--link-text-color) !important;
  outline-offset: 2px; }
#title h1 { font-size: 1.9rem; font-weight: 700; letter-spacing: -0.01em; margin: 0.4rem 0 0; }
#title p { font-size: 1.1rem; margin: 0.2rem 0 0.4rem; }
#percentile p { font-size: 1.1rem; text-align: center; margin: 0; }
#notice, #fallback, #building { border-left: 4px solid var(--color-accent); padding: 0.5rem 0.9rem; }
#meaning p, #footer p, #title p { color: var(--body-text-color-subdued) !important; }
#meaning p, #footer p { font-size: 0.9rem; line-height: 1.5; }
#footer { margin-top: 1.5rem; }
#about, #calls { max-width: 46rem; line-height: 1.55; }
#about h2, #calls h2 { font-size: 1.15rem; margin-top: 1.2rem; }
#about table { font-size: 0.9rem; }
#about tr { border: 0; }
#about th, #about td { border: 0; border-bottom: 1px solid var(--border-color-primary);
  padding: 0.35rem 0.6rem; overflow-wrap: normal; word-break: normal; }
#compared .percent { display: none; }
#compared div.bars { grid-template-columns: 1fr; }
.tab-container button.selected { color: var(--link-text-color) !important; }
.prose pre code { white-space: pre-wrap; overflow-wrap: anywhere; }
#calls .token { color: var(--body-text-color) !important; }
footer .show-api { display: flex !important; min-height: 44px; }
footer .divider { display: none !important; }
#matches { border: 0; background: none; overflow: visible; }
#matches .grid-wrap { padding: 0; min-height: 0; max-height: none; overflow: visible; }
#matches .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)); grid-auto-rows: auto;
  gap: 10px; }
#matches .thumbnail-item { display: flex; flex-direction: column; aspect-ratio: auto;
  background: var(--block-background-fill); }
#matches .thumbnail-item img { aspect-ratio: 1; height: auto; border-radius: 0; }
#matches .caption-label { position: static; max-width: none; flex: 1; border: 0; background: none;
  opacity: 1 !important; padding: 0.35rem 0.4rem; white-space: normal; text-wrap: balance;
  overflow-wrap: anywhere; font-size: 0.78rem; line-height: 1.3; color: var(--body-text-color); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; margin: 0 auto;
  max-width: min(600px, 2 * var(--side, 300px) + 14px); }
.pair figure { margin: 0; }
.pair img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 14px; display: block; }
.pair figcaption { text-align: center; font-weight: 700; padding-top: 0.4rem; overflow-wrap: anywhere; }
.chips label { padding: 0.35rem 0.75rem; min-height: 2.2rem; border: 1px solid var(--border-color-primary);
  border-radius: 999px; background: none; box-shadow: none; white-space: nowrap; position: relative; }
.chips label span { margin: 0; }
.chips label input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; margin: 0; }
.chips label.selected { background: var(--link-text-color); border-color: var(--link-text-color); }
.chips label.selected span { color: var(--block-background-fill); }
.chips label:focus-within { outline: 2px solid var(--link-text-color); outline-offset: 2px; }
.who { display: block; font-size: 0.82rem; font-weight: 400; line-height: 1.35; overflow-wrap: anywhere;
  color: var(--body-text-color-subdued); }
ol.bars .who { grid-column: 1 / -1; margin-top: -0.45rem; }
.credit { display: block; font-size: 0.75rem; font-weight: 400; line-height: 1.35; overflow-wrap: anywhere;
  color: var(--body-text-color-subdued); }
.credit a, .bars .credit a { color: inherit; font-size: inherit; white-space: normal;
  display: inline !important; margin: 0 !important; padding: 0 !important; text-decoration: underline; }
ol.bars .credit { grid-column: 1 / -1; margin-top: -0.4rem; }
#live-picture .credit { text-align: center; }
.pair .verdict { grid-column: 1 / -1; text-align: center; margin: 0; font-size: 1.2rem; }
.pair .verdict strong { font-size: 2.4rem; line-height: 1.1; color: var(--link-text-color); }
.words { font-size: 1.1rem; text-align: center; padding: 0.6rem 0; }
.no-camera { border-left: 4px solid var(--color-accent); padding: 0.5rem 0.9rem; text-align: left; }
.bars { list-style: none; margin: 0; padding: 0; }
ol.bars li { display: grid; grid-template-columns: 1fr 3.2rem auto; gap: 0.7rem;
  align-items: center; padding: 0.3rem 0; }
.bars .name { overflow-wrap: anywhere; font-weight: 700; line-height: 1.25; }
ol.bars .name { grid-column: 1 / -1; margin-bottom: -0.3rem; }
div.bars { display: grid; grid-template-columns: 1fr 3.2rem; gap: 0.7rem; align-items: center;
  max-width: 600px; margin: 0 auto; }
.meter { height: 10px; border-radius: 5px; background: var(--border-color-primary); overflow: hidden; }
.meter span { display: block; height: 100%; background: var(--link-text-color); border-radius: 5px; }
.percent { text-align: right; font-variant-numeric: tabular-nums; }
.bars a { color: var(--link-text-color); font-size: 0.9rem; white-space: nowrap; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 18px; }
.beside figure { margin: 0; min-width: 0; }
.beside figcaption { font-weight: 700; padding-bottom: 0.3rem; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--border-color-primary); }
.beside ol { list-style: none; margin: 0; padding: 0; }
.beside li { display: grid; grid-template-columns: 1fr 3.2rem; gap: 0.2rem 0.5rem; align-items: center;
  margin: 0; padding: 0.35rem 0; }
.beside li > span:first-child { grid-column: 1 / -1; overflow-wrap: anywhere; line-height: 1.25; }
.why { display: flex; gap: 16px; align-items: center; }
.why img { width: 200px; border-radius: 14px; flex: none; }
.why p { margin: 0; line-height: 1.5; }
[dir=rtl] .gradio-container [dir=ltr], [dir=rtl] #matches .grid-container { direction: rtl; }
[dir=rtl] .gradio-container :is(.english, pre) { direction: ltr; text-align: left; }
[dir=rtl] :is(.caption-label, .percent, .bars .name, td) { unicode-bidi: plaintext; }
.form:has(#language) { max-width: 15rem; margin: 0 auto; }
[dir=rtl] .bars .name { text-align: right; }
[dir=rtl] #language { direction: ltr; }
#live-picture img { max-width: min(60%, 300px); aspect-ratio: 1; object-fit: cover; border-radius: 14px;
  display: block; margin: 0 auto; }
#live .best { font-size: 2rem; font-weight: 700; text-align: center; margin: 0 0 0.8rem;
  line-height: 1.2; overflow-wrap: anywhere; }
#live .behind { text-align: center; margin-top: 0.8rem; color: var(--body-text-color-subdued); }
@media (max-width: 640px) {
  .tab-container button { padding-inline: 0.5rem !important; font-size: 0.95rem !important; min-width: 44px; }
  #photo, #camera { height: 300px !important; }
  #matches .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .chips .wrap { flex-wrap: nowrap; overflow-x: auto; padding: 4px; }
  .chips label { min-height: 44px; flex: none; }
  #chooser label, #private-switch label, #language input, .tab-container [role=tab], .takes-photos .icon {
    min-height: 44px; }
  .tab-container, .tab-wrapper { height: auto !important; }
  .takes-photos .icon { min-width: 44px; display: inline-grid; place-items: center; }
  .takes-photos .icon svg { width: 22px; }
  .takes-photos .icon-button, .label-wrap { position: relative; }
  .takes-photos .icon-button::after, .label-wrap::after { content: ''; position: absolute; inset: -13px; }
  .why { flex-direction: column; text-align: center; }
}
"""
