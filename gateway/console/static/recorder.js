// Recording a voice in the browser: the form's file field is filled with a WAV made here, and sent like any file.
// This file is both halves: in a page it is the button, in an audio worklet it hands the samples over.
"use strict";

if (typeof registerProcessor === "function") {
  registerProcessor("taker", class extends AudioWorkletProcessor {
    process(inputs) {
      if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice());
      return true;
    }
  });
} else {
  const here = document.currentScript.src;

  const open = async (microphone, rate) => {
    // Narrow enough for a slow line; a browser that cannot bring the microphone to it uses its own rate.
    for (const options of [{ sampleRate: rate }, {}]) {
      const context = new AudioContext(options);
      try {
        return [context, context.createMediaStreamSource(microphone)];
      } catch {
        await context.close();
      }
    }
    throw new Error("no audio");
  };

  const wav = (pieces, rate) => {
    const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const view = new DataView(new ArrayBuffer(44 + 2 * count));
    const ascii = (at, text) => [...text].forEach((sign, n) => view.setUint8(at + n, sign.charCodeAt(0)));
    ascii(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); ascii(8, "WAVEfmt ");
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
    view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true);
    view.setUint16(34, 16, true); ascii(36, "data"); view.setUint32(40, 2 * count, true);
    let at = 44;
    for (const piece of pieces) {
      for (const sample of piece) { view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true); at += 2; }
    }
    return new File([view], "voice.wav", { type: "audio/wav" });
  };

  const take = async ({ record, stop, field, told, most, rate }) => {
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    const [context, source] = await open(microphone, rate);
    await context.audioWorklet.addModule(here);
    const taker = new AudioWorkletNode(context, "taker");
    const pieces = [];
    let samples = 0;
    const end = async () => {
      if (context.state === "closed") return;
      microphone.getTracks().forEach((track) => track.stop());
      await context.close();
      const files = new DataTransfer();
      files.items.add(wav(pieces, context.sampleRate));
      field.files = files.files;
      record.hidden = false;
      stop.hidden = true;
    };
    taker.port.onmessage = ({ data }) => {
      if (samples + data.length > most * context.sampleRate) return end();
      pieces.push(data);
      samples += data.length;
      told.textContent = `${Math.floor(samples / context.sampleRate)} s`;
    };
    stop.onclick = end;
    source.connect(taker);
    record.hidden = true;
    stop.hidden = false;
  };

  if (navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode) {
    for (const form of document.querySelectorAll(".bring")) {
      const [record, stop, field, told] = [".record", ".stop", "[type=file]", "output"].map((one) => form.querySelector(one));
      const { most, rate = 16000, no } = form.dataset;
      form.querySelector(".recorder").hidden = false;
      record.onclick = () => take({ record, stop, field, told, most: Number(most), rate: Number(rate) })
        .catch(() => { told.textContent = no; });
    }
  }
}
