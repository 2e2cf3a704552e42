import type { Images } from './images.ts';

/** Loads the decoders with the first picture: they take a tenth of a second, and memory that many servers never need. */
export function createImagesOnDemand(): Images {
  let loading: Promise<Images> | undefined;
  return {
    async process(picture) {
      loading ??= import('./images.ts').then(({ createImages }) => createImages());
      return (await loading).process(picture);
    },
  };
}
