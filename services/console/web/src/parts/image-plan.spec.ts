import { expect, test } from 'vitest';
import { imageOfPlan } from './image-plan';

test.each([
  ['image-web-raw-r3', 'web'],
  ['image-web-raw-oci-r12', 'web-raw'],
  ['image-a-name-that-is-too-l-3f0a1b2c-0000-raw-r1', undefined],
  ['nightly', undefined],
  ['image-web', undefined],
])('plan %s builds %s', (plan, image) => expect(imageOfPlan(plan)).toBe(image));
