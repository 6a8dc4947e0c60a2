/** The formats that a picture can have. */
export const PICTURE_FORMATS = ['png', 'svg', 'pdf'] as const;

/** The format of a picture: pixels, or vector graphics with texts as outlines (`svg`) or as text (`pdf`). */
export type PictureFormat = (typeof PICTURE_FORMATS)[number];
