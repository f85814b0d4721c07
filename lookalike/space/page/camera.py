"""Scripts for the camera: switch it off when its tab is left, and say so if it cannot be opened."""

from __future__ import annotations

# Gradio says nothing if the visitor or the browser denies the camera, and keeps a camera on that it opened.
WATCH_CAMERA = """<script>
(() => {
  const devices = navigator.mediaDevices, opened = new Set(), never = new Promise(() => {});
  let stops = 0;  // a camera that is allowed after a later stop is not wanted any more
  const close = stream => stream.getTracks().forEach(track => track.stop());
  window.stopCameras = () => {
    stops += 1;
    opened.forEach(close);
    opened.clear();
  };
  if (!devices?.getUserMedia) return;
  const open = devices.getUserMedia.bind(devices);
  const forget = () => document.querySelectorAll('.no-camera').forEach(sentence => sentence.remove());
  const report = () => {
    forget();
    for (const block of document.querySelectorAll('.takes-photos')) {
      const video = block.querySelector('video');
      if (!video || video.srcObject || !block.offsetParent) continue;
      const sentence = document.createElement('p');
      sentence.className = 'words no-camera';
      sentence.setAttribute('role', 'alert');
      sentence.textContent = pageTexts.script_no_camera;
      block.after(sentence);
    }
  };
  devices.getUserMedia = async (...wishes) => {
    const before = stops;
    try {
      const stream = await open(...wishes);
      if (stops > before) return close(stream), never;
      opened.add(stream);
      forget();
      return stream;
    } catch (error) {
      report();
      return never;  // nobody would handle the error
    }
  };
})()
</script>"""

# The square button ends the stream of frames. Without its component, gradio forgets the camera.
STOP_CAMERA = """() => {
  document.querySelector('#camera .feather-square')?.closest('button').click();
  window.stopCameras?.();
  document.querySelectorAll('.no-camera').forEach(sentence => sentence.remove());
  return {__type__: 'update', visible: false};
}"""
SHOW_CAMERA = "() => ({__type__: 'update', visible: true})"
