/** What a web client does for a voice or video message: it records for two seconds and uploads what came of it. */
window.recordAndUpload = async ({ token, mimeType, tracks, timeslice }) => {
  const stream = await navigator.mediaDevices.getUserMedia(tracks);
  const recorder = new MediaRecorder(stream, { mimeType });
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  // A player tells when two seconds have really come from the camera and the microphone.
  const player = document.createElement('video');
  player.muted = true;
  player.srcObject = stream;
  await player.play();
  recorder.start(timeslice);
  const end = player.currentTime + 2;
  while (player.currentTime < end) await new Promise((resolve) => setTimeout(resolve, 50));
  recorder.stop();
  await stopped;
  for (const track of stream.getTracks()) track.stop();
  const form = new FormData();
  form.append('file', new Blob(pieces, { type: recorder.mimeType }), 'recording');
  const answer = await fetch('/media', { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: form });
  return { status: answer.status, json: await answer.json() };
};
